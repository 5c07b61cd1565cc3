/* Logs where a process writes and whom it asks for over the network; preloaded by tests/test_privacy.py.
 *
 * Every line of $WATCH_LOG is "write PATH", "socket FAMILY", "connect FAMILY" or "lookup NAME". The functions of
 * the C library are replaced by ones that note their call and then make it; paths are absolute.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void note(const char *what, const char *name) {
    const char *log = getenv("WATCH_LOG");
    if (!log) return;
    char line[2 * PATH_MAX];
    int size = snprintf(line, sizeof line, "%s %s\n", what, name ? name : "");
    long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    if (size > 0) syscall(SYS_write, file, line, (size_t)size);
    syscall(SYS_close, file);
}

static void note_path(int folder, const char *path) {
    char base[PATH_MAX] = "", whole[2 * PATH_MAX], link[64];
    if (path && path[0] != '/') {
        if (folder == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) base[0] = 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
            ssize_t size = readlink(link, base, sizeof base - 1);
            base[size < 0 ? 0 : size] = 0;
        }
    }
    snprintf(whole, sizeof whole, "%s%s%s", base, base[0] ? "/" : "", path ? path : "");
    note("write", whole);
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

#define WRITES(flags) ((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND))

#define OPEN(name)                                                  \
    int name(const char *path, int flags, ...) {                    \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                               \
        if (WRITES(flags)) note_path(AT_FDCWD, path);               \
        return ((int (*)(const char *, int, ...))next(#name))(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                \
    int name(int folder, const char *path, int flags, ...) {        \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                               \
        if (WRITES(flags)) note_path(folder, path);                 \
        return ((int (*)(int, const char *, int, ...))next(#name))(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

#define OPEN_2(name)                                                \
    int name(const char *path, int flags) {                         \
        if (WRITES(flags)) note_path(AT_FDCWD, path);               \
        return ((int (*)(const char *, int))next(#name))(path, flags); \
    }
OPEN_2(__open_2)
OPEN_2(__open64_2)

#define FOPEN(name)                                                 \
    FILE *name(const char *path, const char *mode) {                \
        if (strpbrk(mode, "wa+")) note_path(AT_FDCWD, path);        \
        return ((FILE * (*)(const char *, const char *)) next(#name))(path, mode); \
    }
FOPEN(fopen)
FOPEN(fopen64)

#define PATH_MODE(name)                                             \
    int name(const char *path, mode_t mode) {                       \
        note_path(AT_FDCWD, path);                                  \
        return ((int (*)(const char *, mode_t))next(#name))(path, mode); \
    }
PATH_MODE(creat)
PATH_MODE(creat64)
PATH_MODE(mkdir)

int mkdirat(int folder, const char *path, mode_t mode) {
    note_path(folder, path);
    return ((int (*)(int, const char *, mode_t))next("mkdirat"))(folder, path, mode);
}

#define TWO_PATHS(name)                                             \
    int name(const char *from, const char *to) {                    \
        note_path(AT_FDCWD, from);                                  \
        note_path(AT_FDCWD, to);                                    \
        return ((int (*)(const char *, const char *))next(#name))(from, to); \
    }
TWO_PATHS(rename)
TWO_PATHS(link)

int symlink(const char *content, const char *path) {
    note_path(AT_FDCWD, path);
    return ((int (*)(const char *, const char *))next("symlink"))(content, path);
}

int renameat(int a, const char *from, int b, const char *to) {
    note_path(a, from);
    note_path(b, to);
    return ((int (*)(int, const char *, int, const char *))next("renameat"))(a, from, b, to);
}

#define TEMPLATE(name, type)                                        \
    type name(char *path) {                                         \
        note_path(AT_FDCWD, path);                                  \
        return ((type(*)(char *))next(#name))(path);                \
    }
TEMPLATE(mkstemp, int)
TEMPLATE(mkstemp64, int)
TEMPLATE(mkdtemp, char *)

int socket(int family, int type, int protocol) {
    note("socket", family == AF_UNIX ? "local" : "network");
    return ((int (*)(int, int, int))next("socket"))(family, type, protocol);
}

int connect(int handle, const struct sockaddr *address, socklen_t size) {
    note("connect", address && address->sa_family == AF_UNIX ? "local" : "network");
    return ((int (*)(int, const struct sockaddr *, socklen_t))next("connect"))(handle, address, size);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    note("lookup", host);
    return ((int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))next(
        "getaddrinfo"))(host, service, hints, found);
}

struct hostent *gethostbyname(const char *host) {
    note("lookup", host);
    return ((struct hostent * (*)(const char *)) next("gethostbyname"))(host);
}
