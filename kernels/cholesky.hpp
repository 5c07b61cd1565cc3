// The direct solver of the coarsest grid.
#pragma once

#include <cmath>
#include <vector>

namespace tb {

// Cholesky factor of a dense symmetric matrix, for the coarsest grid. Column-major lower triangle.
class Cholesky {
 public:
  // a: n x n, lower triangle used; a tiny multiple of the diagonal is added so that a coarse mode that only void
  // carries cannot stop the factorisation.
  void factor(std::vector<double>& a, long n) {
    n_ = n;
    l_.resize(n * n);
    for (long j = 0; j < n; j++) a[j * n + j] *= 1 + 1e-9;
    for (long j = 0; j < n; j++) {
      double* cj = a.data() + j * n;
      double d = cj[j];
      if (!(d > 0)) d = 1e-30;
      const double s = 1 / std::sqrt(d);
      for (long i = j; i < n; i++) cj[i] *= s;
      cj[j] = d * s;
      for (long k = j + 1; k < n; k++) {
        const double x = cj[k];
        if (x == 0) continue;
        double* ck = a.data() + k * n;
#pragma omp simd
        for (long i = k; i < n; i++) ck[i] -= x * cj[i];
      }
    }
    for (long q = 0; q < n * n; q++) l_[q] = static_cast<float>(a[q]);
  }
  // b becomes A^-1 b. 2 n^2 operations.
  void solve(float* b) const {
    const long n = n_;
    for (long j = 0; j < n; j++) {
      const float* c = l_.data() + j * n;
      const float x = b[j] / c[j];
      b[j] = x;
#pragma omp simd
      for (long i = j + 1; i < n; i++) b[i] -= x * c[i];
    }
    for (long j = n - 1; j >= 0; j--) {
      const float* c = l_.data() + j * n;
      float s = 0;
#pragma omp simd reduction(+ : s)
      for (long i = j + 1; i < n; i++) s += c[i] * b[i];
      b[j] = (b[j] - s) / c[j];
    }
  }
  long size() const { return n_; }

 private:
  long n_ = 0;
  std::vector<float> l_;
};

}  // namespace tb
