// Loops on several threads. `parallel` hands the indices of a loop to the calling thread and to workers of our own;
// every index is done exactly once, by any thread, so a body must give the same result whoever runs it. All kernels
// write disjoint places and sum over fixed blocks: their results do not depend on the number of threads.
//
// Why not OpenMP (docs/decisions/threads.md): its threads wait for each other at every barrier, also for one that
// has no processor at the moment, and are gone for ever in the child of a fork.
//
// * Every lane owns a contiguous range of indices in a few pieces. Who has done its own takes pieces of the others: a
//   worker that has not begun costs nothing, whoever waits waits for one piece at most.
// * Who waits spins for a bounded time and then sleeps; much shorter where the machine was seen to be busy, and not at
//   all on the processor that the caller needs.
// * Where waiting takes a large share of the time nevertheless, half the lanes are used for a while (`Pace`).
// * A team of workers serves one loop at a time. A loop that finds none runs on its own thread alone, so that several
//   Python threads never start more workers than one of them would.
// * Nothing is started before the first loop that asks for it, nothing waits for a worker at exit, and a fork's child
//   begins with no workers and starts its own.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#endif

namespace tb {

constexpr int kMostThreads = 256;  // of one loop

namespace threads {

using Time = std::int64_t;  // nanoseconds
constexpr Time kMicro = 1000, kMilli = 1000 * kMicro;

inline Time now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Tells the processor that this is a loop that waits.
inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield" ::: "memory");
#endif
}

// The processor that this thread is on; -1 where the system does not say.
inline int processor() {
#if defined(__linux__)
  return sched_getcpu();
#else
  return -1;
#endif
}

constexpr int kPieces = 4;                // of a lane's range
constexpr Time kSpin = 300 * kMicro;      // before a thread that waits falls asleep
constexpr Time kSpinBusy = 1 * kMicro;    // and where others want the processor
constexpr Time kTaken = 500 * kMicro;     // between two looks at the clock: the processor was taken away
constexpr Time kSwitch = 100 * kMicro;    // to wake a thread takes longer only where it runs in the caller's place
constexpr Time kStaysBusy = 10 * kMilli;  // a busy machine is taken for busy that long

// Spins until `done()`; false where that took longer than waiting should. Sees that the processor was taken away by
// the clock, and notes in `busy` until when to spin less.
template <class Done>
inline bool spin(Done done, std::atomic<Time>& busy) {
  for (int i = 0; i < 64; i++) {
    if (done()) return true;
    relax();
  }
  const Time begin = now();
  const Time limit = begin < busy.load(std::memory_order_relaxed) ? kSpinBusy : kSpin;
  for (Time before = begin;;) {
    for (int i = 0; i < 16; i++) {
      if (done()) return true;
      relax();
    }
    const Time at = now();
    if (at - before > kTaken) {
      busy.store(at + kStaysBusy, std::memory_order_relaxed);
      return done();
    }
    if (at - begin > limit) return done();
    before = at;
  }
}

// How many lanes are worth using, from the time lost by waiting for threads that had no processor. Where that is more
// than a share of the loops' time, half of them for a while; then all are tried again, ever more seldom where that
// fails.
class Pace {
 public:
  int lanes(int asked, Time at) {
    if (halvings_ > 0 && at >= retry_) {
      halvings_--;
      spent_ = lost_ = 0;
    }
    return std::max(1, asked >> halvings_);
  }
  // After a loop on more than one lane: its time, and what of it was lost.
  void note(Time spent, Time lost, Time at) {
    spent_ += spent;
    lost_ += lost;
    const bool failed = lost_ > kShare * std::max(spent_, kWindow);
    if (!failed && spent_ < kWindow) return;
    spent_ = lost_ = 0;
    if (failed) {
      halvings_++;
      rest_ = at - retry_ < kForgets * rest_ ? std::min(2 * rest_, kLongestRest) : kShortestRest;
      retry_ = at + rest_;
    } else {
      retry_ = std::min(retry_, at);  // more lanes at once
    }
  }

 private:
  // Preemptions come every few milliseconds; a window holds several. Two lanes of which a share is lost are slower than
  // one from about 0.4 on.
  static constexpr Time kWindow = 30 * kMilli, kShortestRest = 30 * kMilli, kLongestRest = 960 * kMilli;
  static constexpr double kShare = 0.4;
  static constexpr int kForgets = 10;  // rests after which a failure is forgotten

  int halvings_ = 0;
  Time spent_ = 0, lost_ = 0, rest_ = kShortestRest, retry_ = 0;
};

// Workers that serve one loop at a time. Made once and never destroyed: a worker may look at it at any time, also
// while the process ends.
class Team {
 public:
  using Body = void (*)(const void* context, long first, long last);

  int workers() const { return static_cast<int>(workers_.size()); }

  // Starts workers until there are `wanted`; fewer where the system refuses.
  void grow(int wanted) {
    while (workers() < wanted && start()) {
    }
  }

  // Runs body(context, first, last) over pieces that cover [0, count), on at most `threads` threads.
  void run(Body body, const void* context, long count, int threads) {
    const Time begin = now();
    const int lanes = static_cast<int>(std::min<long>({pace_.lanes(threads, begin), workers() + 1, count}));
    if (lanes <= 1) return body(context, 0, count);
    publish(body, context, count, lanes);
    const Time awake = wake(lanes) ? now() : begin;
    if (awake - begin > kSwitch) busy_.store(awake + kStaysBusy, std::memory_order_relaxed);
    const long own = serve(0);
    Time end = now();
    Time lost = std::min(awake - begin, kSwitch);
    if (remaining_.load(std::memory_order_acquire) != 0) {
      const Time worked = end - awake, alone = end;
      await();
      end = now();
      // one piece of another thread may be under way: no more than that is fair
      lost += std::max<Time>(0, end - alone - 3 * worked / (2 * std::max<long>(own, 1)) - 2 * kMicro);
      if (end - alone > worked + kTaken) busy_.store(end + kStaysBusy, std::memory_order_relaxed);
    }
    pace_.note(end - begin, lost, end);
    if (failed_.load(std::memory_order_relaxed)) {
      failed_.store(false, std::memory_order_relaxed);
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

 private:
  // Pieces of a lane's range: the next to be taken in the lower half, their number in the upper one. Taking one is
  // what keeps the loop from ending, so what belongs to the loop is read after that only.
  struct alignas(64) Lane {
    std::atomic<std::uint64_t> pieces{0};
    static std::uint64_t next(std::uint64_t v) { return v & 0xFFFFFFFFu; }
    static std::uint64_t end(std::uint64_t v) { return v >> 32; }
  };

  struct Loop {
    Body body = nullptr;
    const void* context = nullptr;
    long count = 0, lanes = 1;

    long begin(long lane) const { return count / lanes * lane + std::min(lane, count % lanes); }
    long piece(long lane) const { return (begin(lane + 1) - begin(lane) + kPieces - 1) / kPieces; }
    long pieces(long lane) const { return (begin(lane + 1) - begin(lane) + piece(lane) - 1) / piece(lane); }
    void run(long lane, long number) const {
      const long first = begin(lane) + number * piece(lane);
      body(context, first, std::min(begin(lane + 1), first + piece(lane)));
    }
  };

  struct alignas(64) Worker {
    std::atomic<bool> asleep{false};
    std::atomic<int> on{-1};  // the processor, while it takes pieces
    std::mutex mutex;
    std::condition_variable wakes;
  };

  bool start() {
    const int lane = workers() + 1;
    if (lane >= kMostThreads) return false;
    auto worker = std::make_unique<Worker>();
    Worker* mine = worker.get();
    workers_.reserve(lane);
#if defined(__unix__) || defined(__APPLE__)
    sigset_t all, before;  // signals are for Python's threads
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
#endif
    bool started = true;
    try {
      std::thread([this, mine, lane, seen = epoch_.load()] { work(*mine, lane, seen); }).detach();
    } catch (const std::system_error&) {
      started = false;
    }
#if defined(__unix__) || defined(__APPLE__)
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
#endif
    if (started) workers_.push_back(std::move(worker));
    return started;
  }

  void publish(Body body, const void* context, long count, int lanes) {
    loop_ = {body, context, count, lanes};
    long total = 0;
    for (int l = 0; l < lanes; l++) total += loop_.pieces(l);
    remaining_.store(total, std::memory_order_relaxed);
    for (int l = 0; l < lanes; l++)
      lane_[l].pieces.store(static_cast<std::uint64_t>(loop_.pieces(l)) << 32, std::memory_order_release);
    caller_on_.store(processor(), std::memory_order_relaxed);
    lanes_.store(lanes);
    epoch_.fetch_add(1);
  }

  // Whether anybody slept.
  bool wake(int lanes) {
    bool any = false;
    for (int l = 1; l < lanes; l++) {
      Worker& w = *workers_[l - 1];
      if (!w.asleep.load()) continue;
      {
        const std::lock_guard<std::mutex> lock(w.mutex);
        w.asleep.store(false);
      }
      w.wakes.notify_one();
      any = true;
    }
    return any;
  }

  // Takes pieces, the own lane's first, until none is left; returns how many.
  long serve(int own) {
    const int lanes = lanes_.load();
    long done = 0;
    for (int k = 0; k < lanes; k++) {
      const int l = own + k < lanes ? own + k : own + k - lanes;
      std::atomic<std::uint64_t>& pieces = lane_[l].pieces;
      for (;;) {
        std::uint64_t v = pieces.load(std::memory_order_relaxed);
        if (Lane::next(v) >= Lane::end(v)) break;
        v = pieces.fetch_add(1, std::memory_order_acq_rel);
        if (Lane::next(v) >= Lane::end(v)) break;
        try {
          loop_.run(l, static_cast<long>(Lane::next(v)));
        } catch (...) {
          if (!failed_.exchange(true)) error_ = std::current_exception();
        }
        done++;
      }
    }
    if (done > 0 && remaining_.fetch_sub(done) == done && own != 0 && caller_asleep_.load()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_.notify_one();
    }
    return done;
  }

  // Whether a worker that takes pieces is on the caller's processor: it goes on when the caller sleeps.
  bool shares_processor() const {
    const int on = processor();
    for (int l = 1; on >= 0 && l < loop_.lanes; l++)
      if (workers_[l - 1]->on.load(std::memory_order_relaxed) == on) return true;
    return false;
  }

  // The caller waits for pieces that others have taken.
  void await() {
    if (!shares_processor() && spin([this] { return remaining_.load(std::memory_order_acquire) == 0; }, busy_)) return;
    std::unique_lock<std::mutex> lock(mutex_);
    caller_asleep_.store(true);
    done_.wait(lock, [this] { return remaining_.load() == 0; });
    caller_asleep_.store(false);
  }

  [[noreturn]] void work(Worker& worker, int lane, std::uint32_t seen) {
    for (;;) {
      const auto called = [&] { return epoch_.load(std::memory_order_acquire) != seen; };
      const int on = processor();
      const bool idle = lane >= lanes_.load(std::memory_order_relaxed) ||
                        (on >= 0 && on == caller_on_.load(std::memory_order_relaxed));  // let the caller have it
      if (idle || !spin(called, busy_)) {
        std::unique_lock<std::mutex> lock(worker.mutex);
        worker.asleep.store(true);
        if (epoch_.load() == seen || lane >= lanes_.load())
          worker.wakes.wait(lock, [&] { return !worker.asleep.load(); });
        else
          worker.asleep.store(false);
      }
      seen = epoch_.load(std::memory_order_acquire);
      if (lane >= lanes_.load()) continue;
      worker.on.store(processor(), std::memory_order_relaxed);
      serve(lane);
      worker.on.store(-1, std::memory_order_relaxed);
    }
  }

  std::array<Lane, kMostThreads> lane_;
  Loop loop_;
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  std::atomic<int> lanes_{1}, caller_on_{-1};
  alignas(64) std::atomic<long> remaining_{0};
  alignas(64) std::atomic<bool> caller_asleep_{false};
  std::atomic<bool> failed_{false};
  std::atomic<Time> busy_{0};  // until when
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable done_;
  Pace pace_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// The teams of this process, and how many workers they may have in all: one less than the processors, or than the
// most threads a loop asked for.
class Teams {
 public:
  static Teams& of_this_process() {
    Teams* teams = current().load(std::memory_order_acquire);
    if (teams) return *teams;
    Teams* fresh = new Teams;
    if (current().compare_exchange_strong(teams, fresh)) return *fresh;
    delete fresh;
    return *teams;
  }

  // The child of a fork has none of the parent's workers, and their locks are as they happened to be: forget them.
  static void begin_afresh_after_forks() {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] { current().store(nullptr); });
#endif
  }

  // A team for a loop on `threads` threads, the caller's; none where all workers are in use.
  Team* take(int threads) {
    const std::lock_guard<std::mutex> lock(mutex_);
    most_ = std::max(most_, threads - 1);
    if (idle_.empty()) {
      if (started_ >= most_ || refused_) return nullptr;
      idle_.push_back(new Team);
    }
    Team* team = idle_.back();
    idle_.pop_back();
    if (team->workers() < threads - 1 && started_ < most_ && !refused_) {
      const int before = team->workers(), wanted = std::min(threads - 1, before + most_ - started_);
      team->grow(wanted);
      started_ += team->workers() - before;
      if (team->workers() < wanted) refused_ = true;  // do not ask at every loop
    }
    return team;
  }
  void give_back(Team* team) {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(team);
  }

 private:
  static std::atomic<Teams*>& current() {
    static std::atomic<Teams*> teams{nullptr};
    return teams;
  }

  std::mutex mutex_;
  std::vector<Team*> idle_;
  bool refused_ = false;
  int started_ = 0, most_ = static_cast<int>(std::thread::hardware_concurrency()) - 1;
};

// One piece of a loop. Compiled once, neither inlined nor specialised: a second copy for one thread could add in
// another order, which the compiler may choose, and the bits would depend on the number of threads.
#if defined(__clang__)
#define TB_ONE_COPY __attribute__((noinline))
#else
#define TB_ONE_COPY __attribute__((noipa))
#endif
template <class F>
TB_ONE_COPY void run_piece(const void* context, long first, long last) {
  const F& f = *static_cast<const F*>(context);
  for (long i = first; i < last; i++) f(i);
}
#undef TB_ONE_COPY

}  // namespace threads

// body(i) for all i in [0, count), on at most `threads` threads; returns when all are done, and throws what a body
// threw.
template <class F>
inline void parallel(long count, int threads, const F& body) {
  using threads::Team;
  using threads::Teams;
  const Team::Body run = &threads::run_piece<F>;
  const int most = static_cast<int>(std::min<long>({threads, count, kMostThreads}));
  Team* team = most > 1 ? Teams::of_this_process().take(most) : nullptr;
  if (!team) return run(&body, 0, count);
  struct Lease {
    Team* team;
    ~Lease() { Teams::of_this_process().give_back(team); }
  } lease{team};
  team->run(run, &body, count, most);
}

// Memory of the calling thread for one use at a time, kept between calls; not initialised.
template <class T>
inline T* scratch(std::size_t n) {
  thread_local std::vector<T> memory;
  if (memory.size() < n) memory.resize(n);
  return memory.data();
}

}  // namespace tb
