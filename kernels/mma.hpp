// The dual of MMA's separable subproblem: one pass over the variables gives value, gradient and Hessian,
// deterministic for any number of threads (sums over fixed blocks, added in order).
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "gil.hpp"
#include "parallel.hpp"

namespace tb::design {

// Arrays [variable], and [1 + constraint, variable] with the objective first (Svanberg 2007, eq. 5.1).
struct Separable {
  const double *low, *upp, *alpha, *beta, *p, *q;
  std::ptrdiff_t size, constraints;
};

// For multipliers lam: x minimises the Lagrangian in closed form; sums = [value, gradient (m), Hessian (m x m)] of
// the terms in x (constants and elastic variables are the caller's). About 30 + 10 m + 3 m^2 operations a variable.
inline void dual(const Separable& s, const double* lam, double* x_out, double* sums, int threads) {
  constexpr std::ptrdiff_t chunk = 512;
  const std::ptrdiff_t n = s.size, m = s.constraints, width = 1 + m + m * m, chunks = (n + chunk - 1) / chunk;
  std::vector<double> partial(static_cast<std::size_t>(chunks * width));
  parallel(chunks, threads, [&](std::ptrdiff_t c) {
    double* slopes = scratch<double>(m * chunk);
    double pull[chunk], push[chunk], to_upp[chunk], to_low[chunk], weight[chunk];
    const std::ptrdiff_t first = c * chunk, count = std::min(chunk, n - first);
    double* __restrict sum = partial.data() + c * width;
    const double* __restrict p0 = s.p + first;
    const double* __restrict q0 = s.q + first;
    std::copy(p0, p0 + count, pull);
    std::copy(q0, q0 + count, push);
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      const double l = lam[i];
      const double* __restrict pi = p0 + (i + 1) * n;
      const double* __restrict qi = q0 + (i + 1) * n;
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < count; ++j) {
        pull[j] += l * pi[j];
        push[j] += l * qi[j];
      }
    }
    const double* __restrict low = s.low + first;
    const double* __restrict upp = s.upp + first;
    const double* __restrict alpha = s.alpha + first;
    const double* __restrict beta = s.beta + first;
    double* __restrict x = x_out + first;
    double value = 0.0;
#pragma omp simd reduction(+ : value)
    for (std::ptrdiff_t j = 0; j < count; ++j) {
      const double rp = std::sqrt(pull[j]), rq = std::sqrt(push[j]);
      const double free = (rp * low[j] + rq * upp[j]) / (rp + rq);
      double at = free < alpha[j] ? alpha[j] : free;
      at = at > beta[j] ? beta[j] : at;
      const double u = 1.0 / (upp[j] - at), l = 1.0 / (at - low[j]);
      const double curvature = 2.0 * (pull[j] * u * u * u + push[j] * l * l * l);
      x[j] = at;
      to_upp[j] = u;
      to_low[j] = l;
      weight[j] = at == free ? 1.0 / curvature : 0.0;
      value += pull[j] * u + push[j] * l;
    }
    sum[0] = value;
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      const double* __restrict pi = p0 + (i + 1) * n;
      const double* __restrict qi = q0 + (i + 1) * n;
      double* __restrict slope = slopes + i * chunk;
      double gradient = 0.0;
#pragma omp simd reduction(+ : gradient)
      for (std::ptrdiff_t j = 0; j < count; ++j) {
        const double up = pi[j] * to_upp[j], down = qi[j] * to_low[j];
        gradient += up + down;
        slope[j] = up * to_upp[j] - down * to_low[j];
      }
      sum[1 + i] = gradient;
      for (std::ptrdiff_t k = 0; k <= i; ++k) {
        const double* __restrict other = slopes + k * chunk;
        double entry = 0.0;
#pragma omp simd reduction(+ : entry)
        for (std::ptrdiff_t j = 0; j < count; ++j) entry += slope[j] * other[j] * weight[j];
        sum[1 + m + i * m + k] = sum[1 + m + k * m + i] = entry;
      }
    }
  });
  std::fill(sums, sums + width, 0.0);
  for (std::ptrdiff_t c = 0; c < chunks; ++c)
    for (std::ptrdiff_t w = 0; w < width; ++w) sums[w] += partial[c * width + w];
}

}  // namespace tb::design

namespace tb {

inline void bind_mma(nanobind::module_& m) {
  namespace nb = nanobind;
  using Row = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
  using Rows = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
  using Result = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
  m.def(
      "mma_dual",
      [](Row low, Row upp, Row alpha, Row beta, Rows p, Rows q, Row multipliers, Result x, Result sums, int threads) {
        const std::size_t n = low.size(), rows = multipliers.size();
        if (upp.size() != n || alpha.size() != n || beta.size() != n || x.size() != n || p.shape(1) != n ||
            q.shape(1) != n || p.shape(0) != rows + 1 || q.shape(0) != rows + 1)
          throw std::invalid_argument("mma_dual: arrays do not fit each other");
        if (sums.size() != 1 + rows + rows * rows) throw std::invalid_argument("mma_dual: sums has the wrong size");
        if (threads < 1) throw std::invalid_argument("mma_dual: threads must be positive");
        const design::Separable s{low.data(),
                                  upp.data(),
                                  alpha.data(),
                                  beta.data(),
                                  p.data(),
                                  q.data(),
                                  static_cast<std::ptrdiff_t>(n),
                                  static_cast<std::ptrdiff_t>(rows)};
        const WithoutLock unlocked;
        design::dual(s, multipliers.data(), x.data(), sums.data(), threads);
      },
      nb::arg("low"), nb::arg("upp"), nb::arg("alpha"), nb::arg("beta"), nb::arg("p"), nb::arg("q"),
      nb::arg("multipliers"), nb::arg("x"), nb::arg("sums"), nb::arg("threads") = 1,
      "Minimise MMA's Lagrangian into `x`; sums = [value, gradient, Hessian] of its terms in x.");
}

}  // namespace tb
