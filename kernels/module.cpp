// The compiled core: one module an instruction set, chosen at import by trabecula/physics/compiled_core.py.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <string>
#include <vector>

#include "bind_hierarchy.hpp"
#include "mma.hpp"
#include "oc.hpp"
#include "parallel.hpp"
#include "stencil.hpp"

namespace {

// Instruction sets this processor has, best first.
std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    names.push_back("avx512");
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    names.push_back("avx2");
#endif
  names.push_back("base");
  return names;
}

}  // namespace

NB_MODULE(TB_MODULE, m) {
  nanobind::set_leak_warnings(false);  // a solver alive at exit, in another thread or a traceback, is no fault
#if defined(__GLIBC__)
  // Arrays of millions of voxels go back to the system when they are freed. By default glibc moves its threshold
  // up to 32 MB and keeps them, in pieces: a hundred megabytes at a million voxels (docs/decisions/memory.md).
  mallopt(M_MMAP_THRESHOLD, 2 << 20);
#endif
  tb::threads::Teams::begin_afresh_after_forks();
  m.def("instruction_sets", &instruction_sets, "Instruction sets this processor has, best first.");
  tb::bind_stencil(m);
  tb::bind_oc(m);
  tb::bind_mma(m);
  tb::bind_hierarchy(m);
}
