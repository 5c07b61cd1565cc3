// The direct solver of the coarsest grid.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace tb {

// Cholesky factor of a symmetric band matrix, for the coarsest grid. Column-major lower triangle, stored in full:
// a few hundred rows at most.
class Cholesky {
 public:
  // a: n x n, lower triangle used, nothing further than `band` below the diagonal; a tiny multiple of the diagonal is
  // added so that a coarse mode that only void carries cannot stop the factorisation, and a row of which rounding
  // leaves nothing is left out. n band^2 operations.
  void factor(std::vector<double>& a, long n, long band) {
    n_ = n;
    band_ = band;
    l_.resize(n * n);
    std::vector<double> diagonal(n);
    for (long j = 0; j < n; j++) diagonal[j] = a[j * n + j] *= 1 + 1e-9;
    for (long j = 0; j < n; j++) {
      double* cj = a.data() + j * n;
      const long end = std::min(n, j + band + 1);
      double d = cj[j];
      if (!(d > kTiny * diagonal[j])) {  // nothing is left of this row: no correction there, rather than a huge one
        for (long i = j; i < end; i++) cj[i] = 0;
        cj[j] = kNever;
        continue;
      }
      const double s = 1 / std::sqrt(d);
      for (long i = j; i < end; i++) cj[i] *= s;
      cj[j] = d * s;
      for (long k = j + 1; k < end; k++) {
        const double x = cj[k];
        if (x == 0) continue;
        double* ck = a.data() + k * n;
#pragma omp simd
        for (long i = k; i < end; i++) ck[i] -= x * cj[i];
      }
    }
    for (long j = 0; j < n; j++)
      for (long i = j; i < std::min(n, j + band + 1); i++) l_[j * n + i] = static_cast<float>(a[j * n + i]);
  }
  // b becomes A^-1 b. 4 n band operations.
  void solve(float* b) const {
    const long n = n_;
    for (long j = 0; j < n; j++) {
      const float* c = l_.data() + j * n;
      const long end = std::min(n, j + band_ + 1);
      const float x = b[j] / c[j];
      b[j] = x;
#pragma omp simd
      for (long i = j + 1; i < end; i++) b[i] -= x * c[i];
    }
    for (long j = n - 1; j >= 0; j--) {
      const float* c = l_.data() + j * n;
      const long end = std::min(n, j + band_ + 1);
      float s = 0;
#pragma omp simd reduction(+ : s)
      for (long i = j + 1; i < end; i++) s += c[i] * b[i];
      b[j] = (b[j] - s) / c[j];
    }
  }
  long size() const { return n_; }

 private:
  static constexpr double kTiny = 1e-10, kNever = 1e15;
  long n_ = 0, band_ = 0;
  std::vector<float> l_;
};

}  // namespace tb
