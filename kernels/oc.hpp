// Optimality criteria: the update of all densities and the search for the multiplier, deterministic for any number
// of threads (sums are taken over fixed blocks, and the blocks are added in order).
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "gil.hpp"
#include "parallel.hpp"

namespace tb::design {

using Index = std::ptrdiff_t;

// exp(t) for t clamped to [-700, 700]; relative error below 1e-13. Written so that compilers vectorise it.
inline double exponential(double t) {
  t = t < -700.0 ? -700.0 : (t > 700.0 ? 700.0 : t);
  // Adding 1024.5 before truncation rounds to nearest without a library call.
  const std::int32_t n = static_cast<std::int32_t>(t * 1.4426950408889634 + 1024.5) - 1024;
  const double r = t - static_cast<double>(n) * 0.6931471805599453;
  double p = 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  const std::int64_t bits = static_cast<std::int64_t>(n + 1023) << 52;
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

// log(v) for normal positive v; absolute error below 1e-14 times max(1, |log v|). Vectorises like `exponential`.
inline double logarithm(double v) {
  std::int64_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  // The offset puts the mantissa into [sqrt(1/2), sqrt(2)).
  const std::int64_t shifted = bits - 0x3FE6A09E667F3BCD;
  const std::int32_t n = static_cast<std::int32_t>(shifted >> 52);
  const std::int64_t mantissa = bits - static_cast<std::int64_t>(n) * (std::int64_t{1} << 52);
  double m;
  std::memcpy(&m, &mantissa, sizeof m);
  const double s = (m - 1.0) / (m + 1.0), q = s * s;
  double p = 1.0 / 21.0;
  p = p * q + 1.0 / 19.0;
  p = p * q + 1.0 / 17.0;
  p = p * q + 1.0 / 15.0;
  p = p * q + 1.0 / 13.0;
  p = p * q + 1.0 / 11.0;
  p = p * q + 1.0 / 9.0;
  p = p * q + 1.0 / 7.0;
  p = p * q + 1.0 / 5.0;
  p = p * q + 1.0 / 3.0;
  p = p * q + 1.0;
  return 2.0 * s * p + static_cast<double>(n) * 0.6931471805599453;
}

// Everything one update needs; all arrays have `size` entries, `exponent` one or `size`.
struct Criteria {
  const double *x, *benefit, *cost, *lower, *upper, *exponent;  // benefit = dC/dx, cost = dV/dx
  Index size;
  bool each;        // an exponent a voxel
  double floor;     // densities below it grow as if they were there
  double move;      // largest change of a density
  double value;     // the constraint at x; feasible where <= 0
  bool reciprocal;  // constraint on C in 1/x (least volume) rather than on V in x (least compliance)
  int threads;
};

struct Sums {
  double value = 0.0, slope = 0.0, scale = 0.0;
};

constexpr Index block = 4096;
constexpr double never = 1e30;  // stands for an infinite logarithm; survives arithmetic without NaN

// Apply `part(first, last)` to fixed blocks and add the results in order.
template <class Part>
Sums reduce(Index size, int threads, std::vector<Sums>& partial, Part part) {
  const Index blocks = (size + block - 1) / block;
  partial.resize(static_cast<std::size_t>(blocks));
  parallel(blocks, threads, [&](Index b) { partial[b] = part(b * block, std::min(size, (b + 1) * block)); });
  Sums total;
  for (const Sums& p : partial) {
    total.value += p.value;
    total.slope += p.slope;
    total.scale += p.scale;
  }
  return total;
}

// level = log max(x, floor) + exponent * log(-dC/dV), so that the update is exp(level - exponent * log lam).
// No benefit: as little as allowed. Benefit at no cost: as much as allowed. Neither: stay, marked by this level.
constexpr double stays = 2e30;

template <bool Each>
inline void levels(const Criteria& c, double* __restrict level) {
  const Index blocks = (c.size + block - 1) / block;
  parallel(blocks, c.threads, [&](Index b) {
    const Index last = std::min(c.size, (b + 1) * block);
#pragma omp simd
    for (Index i = b * block; i < last; ++i) {
      const double gain = -c.benefit[i], price = c.cost[i];
      const double ratio = gain / (price > 0.0 ? price : 1.0);
      const double from = std::max(std::max(c.x[i], c.floor), 1e-300);
      const double usual =
          logarithm(from) + c.exponent[Each ? i : 0] * logarithm(std::min(std::max(ratio, 1e-300), 1e300));
      const double paid = gain > 0.0 ? usual : -never;
      const double free = gain > 0.0 ? never : (gain < 0.0 ? -never : stays);
      level[i] = price > 0.0 ? paid : free;
    }
  });
}

// The density at a trial multiplier and its derivative with respect to log lam (zero where a bound holds it).
struct Candidate {
  double x, slope;
};

inline Candidate candidate(double level, double exponent, double log_lam, double x, double lower, double upper,
                           double move) {
  const double low = std::max(lower, x - move), high = std::min(upper, x + move);
  const double free = exponential(level - exponent * log_lam);
  double bounded = free < low ? low : free;
  bounded = bounded > high ? high : bounded;
  const double slope = bounded == free ? -exponent * free : 0.0;
  const double still = x < lower ? lower : (x > upper ? upper : x);
  return {level == stays ? still : bounded, level == stays ? 0.0 : slope};
}

template <bool Each, bool Reciprocal>
inline Sums residual(const Criteria& c, const double* __restrict level, double log_lam, std::vector<Sums>& partial) {
  Sums total = reduce(c.size, c.threads, partial, [&](Index first, Index last) {
    double value = 0.0, slope = 0.0, scale = 0.0;
#pragma omp simd reduction(+ : value, slope, scale)
    for (Index i = first; i < last; ++i) {
      const double x = c.x[i];
      const Candidate n = candidate(level[i], c.exponent[Each ? i : 0], log_lam, x, c.lower[i], c.upper[i], c.move);
      if (Reciprocal) {
        // CONLIN: terms that fall with the density in 1/x, terms that rise in x.
        const double g = c.benefit[i], safe = n.x > 1e-12 ? n.x : 1e-12, share = x / safe;
        const bool falls = g < 0.0;
        value += falls ? g * x * (1.0 - share) : g * (n.x - x);
        slope += falls ? g * share * share * n.slope : g * n.slope;
        scale += std::abs(g) * x;
      } else {
        value += c.cost[i] * (n.x - x);
        slope += c.cost[i] * n.slope;
        scale += std::abs(c.cost[i]) * n.x;
      }
    }
    return Sums{value, slope, scale};
  });
  total.value += c.value;
  if (!Reciprocal) return total;
  // The compliance constraint rises with lam; turned round, one search serves both.
  total.value = -total.value;
  total.slope = -total.slope;
  return total;
}

struct Multiplier {
  double log_lam, residual;
  int sweeps;
};

// Find log lam with residual(log lam) = 0 by Newton's method inside a bracket; `residual` falls with log lam.
// The answer is on the feasible side within 1e-11 of the constraint's own scale (or as near as doubles allow).
template <bool Each, bool Reciprocal>
Multiplier search(const Criteria& c, const double* level, double guess) {
  std::vector<Sums> partial;
  int sweeps = 0;
  const auto at = [&](double log_lam) {
    ++sweeps;
    return residual<Each, Reciprocal>(c, level, log_lam, partial);
  };
  // The feasible side: more lam where the volume is limited, less where the compliance is.
  const double side = Reciprocal ? 1.0 : -1.0;
  constexpr double end = 1e5;
  double low = -end, high = end, t = guess, step = 1.0, before = 0.0;
  for (; sweeps < 200;) {
    const Sums s = at(t);
    const double tolerance = 1e-11 * std::max(s.scale, 1e-300);
    const double off = s.value - side * 0.5 * tolerance;
    if (std::abs(off) <= 0.5 * tolerance) return {t, Reciprocal ? -s.value : s.value, sweeps};
    (off > 0.0 ? low : high) = t;
    const bool bracketed = low > -end && high < end;
    if (high - low <= 1e-14 * std::max(1.0, std::abs(t)) || low >= end || high <= -end) break;
    const bool slow = bracketed && std::abs(off) > 0.5 * std::abs(before);
    before = off;
    // Both sides of the constraint are sums of powers of lam: Newton's method is applied to the logarithm of their
    // ratio, actual / allowed, which is nearly straight.
    const double allowed = Reciprocal ? s.scale - c.value : s.scale - off;
    const double actual = allowed + (Reciprocal ? -off : off);
    // An actual side that is lost in the rounding of the allowed one has no logarithm to go by.
    const bool known = allowed > 0.0 && actual > 1e-13 * allowed;
    const double gap = known ? actual * std::log(actual / allowed) : actual - allowed;
    double next = s.slope < 0.0 ? t - (Reciprocal ? -gap : gap) / s.slope : (off > 0.0 ? t + step : t - step);
    if (bracketed) {
      if (slow || !(next > low && next < high)) next = 0.5 * (low + high);
    } else {
      // Without a bracket the steps are bounded, and the bound grows.
      step *= 4.0;
      next = std::min(std::max(next, t - step), t + step);
    }
    t = std::min(std::max(next, -end), end);
  }
  t = Reciprocal ? std::max(low, -end) : std::min(high, end);
  const Sums s = at(t);
  return {t, Reciprocal ? -s.value : s.value, sweeps};
}

template <bool Each>
Multiplier update(const Criteria& c, double guess, double* __restrict out) {
  // `out` first holds the levels, then the new densities.
  levels<Each>(c, out);
  const Multiplier found = c.reciprocal ? search<Each, true>(c, out, guess) : search<Each, false>(c, out, guess);
  const Index blocks = (c.size + block - 1) / block;
  parallel(blocks, c.threads, [&](Index b) {
    const Index last = std::min(c.size, (b + 1) * block);
#pragma omp simd
    for (Index i = b * block; i < last; ++i)
      out[i] = candidate(out[i], c.exponent[Each ? i : 0], found.log_lam, c.x[i], c.lower[i], c.upper[i], c.move).x;
  });
  return found;
}

// exponent *= grow where the change keeps its sign, *= shrink where it turns, kept in [least, most].
inline void adapt(const double* exponent, const double* step, const double* last, double* out, Index size, double grow,
                  double shrink, double least, double most, int threads) {
  const Index blocks = (size + block - 1) / block;
  parallel(blocks, threads, [&](Index b) {
    const Index end = std::min(size, (b + 1) * block);
#pragma omp simd
    for (Index i = b * block; i < end; ++i) {
      const double turn = step[i] * last[i];
      const double factor = turn > 0.0 ? grow : (turn < 0.0 ? shrink : 1.0);
      out[i] = std::min(std::max(exponent[i] * factor, least), most);
    }
  });
}

}  // namespace tb::design

namespace tb {

inline void bind_oc(nanobind::module_& m) {
  namespace nb = nanobind;
  using namespace design;
  using Given = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
  using Result = nb::ndarray<double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
  m.def(
      "oc_update",
      [](Given x, Given compliance_gradient, Given volume_gradient, Given lower, Given upper, Given exponent,
         Result out, double floor, double move, double value, bool reciprocal, double guess, int threads) {
        const std::size_t n = x.size();
        for (std::size_t other :
             {compliance_gradient.size(), volume_gradient.size(), lower.size(), upper.size(), out.size()})
          if (other != n) throw std::invalid_argument("oc_update: all arrays must have the same size");
        if (exponent.size() != n && exponent.size() != 1)
          throw std::invalid_argument("oc_update: exponent must have one entry or one a density");
        if (static_cast<const double*>(out.data()) == x.data())
          throw std::invalid_argument("oc_update: cannot work in place");
        if (threads < 1) throw std::invalid_argument("oc_update: threads must be positive");
        const Criteria c{x.data(),
                         compliance_gradient.data(),
                         volume_gradient.data(),
                         lower.data(),
                         upper.data(),
                         exponent.data(),
                         static_cast<Index>(n),
                         exponent.size() == n,
                         floor,
                         move,
                         value,
                         reciprocal,
                         threads};
        const WithoutLock unlocked;
        const Multiplier found = c.each ? update<true>(c, guess, out.data()) : update<false>(c, guess, out.data());
        return std::make_tuple(found.log_lam, found.residual, found.sweeps);
      },
      nb::arg("x"), nb::arg("compliance_gradient"), nb::arg("volume_gradient"), nb::arg("lower"), nb::arg("upper"),
      nb::arg("exponent"), nb::arg("out"), nb::arg("floor"), nb::arg("move"), nb::arg("value"), nb::arg("reciprocal"),
      nb::arg("guess"), nb::arg("threads") = 1,
      "Optimality-criteria update of flat float64 arrays into `out`; returns (log multiplier, residual, sweeps).");
  m.def(
      "oc_adapt",
      [](Given exponent, Given step, Given last, Result out, double grow, double shrink, double least, double most,
         int threads) {
        if (step.size() != exponent.size() || last.size() != exponent.size() || out.size() != exponent.size())
          throw std::invalid_argument("oc_adapt: all arrays must have the same size");
        if (threads < 1) throw std::invalid_argument("oc_adapt: threads must be positive");
        const WithoutLock unlocked;
        adapt(exponent.data(), step.data(), last.data(), out.data(), static_cast<Index>(exponent.size()), grow, shrink,
              least, most, threads);
      },
      nb::arg("exponent"), nb::arg("step"), nb::arg("last"), nb::arg("out"), nb::arg("grow"), nb::arg("shrink"),
      nb::arg("least"), nb::arg("most"), nb::arg("threads") = 1,
      "Adapt every density's exponent to whether its change kept its sign (`step` and `last`, flat float64).");
  // For tests: the vectorised elementary functions.
  m.def("exponential", &exponential, nb::arg("t"));
  m.def("logarithm", &logarithm, nb::arg("v"));
}

}  // namespace tb
