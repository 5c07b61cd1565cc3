// The multigrid solver as Python sees it.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "gil.hpp"
#include "hierarchy.hpp"

namespace tb {

namespace nb = nanobind;
using Doubles = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<double, nb::c_contig, nb::device::cpu>;
using Flags = nb::ndarray<const bool, nb::c_contig, nb::device::cpu>;

inline void need(bool ok, const char* what) {
  if (!ok) throw std::invalid_argument(what);
}

inline std::unique_ptr<Solver> make_solver(const std::vector<long>& elements, const std::vector<double>& spacing,
                                           Doubles K0, Doubles fine, double first, double second, Flags fixed,
                                           const Settings& settings) {
  const int D = static_cast<int>(elements.size());
  need(D == 2 || D == 3, "elements: two or three numbers");
  need(spacing.size() == elements.size(), "spacing: as many numbers as elements");
  std::array<long, 3> n{1, 1, 1};
  std::array<double, 3> h{1, 1, 1};
  std::size_t nodes = 1;
  for (int a = 0; a < D; a++) {
    need(elements[a] > 0, "elements: positive");
    n[a] = elements[a];
    h[a] = spacing[a];
    nodes *= elements[a] + 1;
  }
  const int N = 1 << D;
  const int C = static_cast<int>(K0.shape(0)) / N;
  need(C == 1 || C == D, "K0: 2^D nodes times 1 or D components");
  need(K0.size() == static_cast<std::size_t>(N * C) * N * C, "K0: square");
  need(fine.size() == static_cast<std::size_t>(N) * C * C, "fine: [block, C, C]");
  need(fixed.size() == nodes * C, "fixed: [component, z, y, x] over nodes");
  auto make = [&](auto d, auto c) -> std::unique_ptr<Solver> {
    return std::make_unique<Hierarchy<decltype(d)::value, decltype(c)::value>>(
        n, h, K0.data(), fine.data(), std::array<double, 2>{first, second}, fixed.data(), settings);
  };
  using I1 = std::integral_constant<int, 1>;
  using I2 = std::integral_constant<int, 2>;
  using I3 = std::integral_constant<int, 3>;
  if (D == 2) return C == 1 ? make(I2{}, I1{}) : make(I2{}, I2{});
  return C == 1 ? make(I3{}, I1{}) : make(I3{}, I3{});
}

inline void bind_hierarchy(nb::module_& m) {
  nb::class_<Settings>(m, "Settings", "Choices of the multigrid cycle.")
      .def(nb::init<>())
      .def_rw("threads", &Settings::threads)
      .def_rw("degree", &Settings::degree)
      .def_rw("coarse_degree", &Settings::coarse_degree)
      .def_rw("repeated", &Settings::repeated)
      .def_rw("ratio", &Settings::ratio)
      .def_rw("power", &Settings::power)
      .def_rw("safety", &Settings::safety);
  nb::class_<Solver>(m, "Solver", "Multigrid-preconditioned conjugate gradients on a box of voxels.")
      .def_static("make", &make_solver, nb::arg("elements"), nb::arg("spacing"), nb::arg("K0"), nb::arg("fine"),
                  nb::arg("first"), nb::arg("second"), nb::arg("fixed"), nb::arg("settings"))
      .def("set_stiffness",
           [](Solver& s, Doubles relative) {
             need(relative.size() == static_cast<std::size_t>(s.element_count()), "stiffness: one value an element");
             const WithoutLock unlocked;
             s.set_stiffness(relative.data());
           })
      .def(
          "solve",
          [](Solver& s, Doubles load, Out u, double tolerance, int max_iterations) {
            const std::size_t n = static_cast<std::size_t>(s.node_count()) * s.components();
            need(load.size() == n && u.size() == n, "load, u: [component, z, y, x] over nodes");
            Outcome o;
            {
              const WithoutLock unlocked;
              o = s.solve(load.data(), u.data(), tolerance, max_iterations);
            }
            return nb::make_tuple(o.iterations, o.residual);
          },
          nb::arg("load"), nb::arg("u").noconvert(), nb::arg("tolerance"), nb::arg("max_iterations"))
      .def(
          "apply",
          [](Solver& s, Doubles u, Out y) {
            const std::size_t n = static_cast<std::size_t>(s.node_count()) * s.components();
            need(u.size() == n && y.size() == n, "u, y: [component, z, y, x] over nodes");
            const WithoutLock unlocked;
            s.apply(u.data(), y.data());
          },
          nb::arg("u"), nb::arg("y").noconvert())
      .def(
          "energy",
          [](Solver& s, Doubles u, Out w) {
            need(u.size() == static_cast<std::size_t>(s.node_count()) * s.components(), "u: [component, z, y, x]");
            need(w.size() == static_cast<std::size_t>(s.element_count()), "w: one value an element");
            const WithoutLock unlocked;
            s.energy(u.data(), w.data());
          },
          nb::arg("u"), nb::arg("w").noconvert())
      .def(
          "bilinear",
          [](Solver& s, Doubles u, Doubles v, Out w) {
            const std::size_t n = static_cast<std::size_t>(s.node_count()) * s.components();
            need(u.size() == n && v.size() == n, "u, v: [component, z, y, x]");
            need(w.size() == static_cast<std::size_t>(s.element_count()), "w: one value an element");
            const WithoutLock unlocked;
            s.bilinear(u.data(), v.data(), w.data());
          },
          nb::arg("u"), nb::arg("v"), nb::arg("w").noconvert())
      .def("apply_single",
           [](Solver& s, int repeats) {
             const WithoutLock unlocked;
             s.apply_single(repeats);
           })
      .def("apply_double",
           [](Solver& s, int repeats) {
             const WithoutLock unlocked;
             s.apply_double(repeats);
           })
      .def_prop_ro("bytes", &Solver::bytes)
      .def_prop_ro("levels", &Solver::levels);
}

}  // namespace tb
