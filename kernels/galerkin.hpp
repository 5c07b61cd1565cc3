// Coarse element matrices: what P^T K P is for one coarse element, from the moduli or the matrices below it.
#pragma once

#include <cmath>

#include "level.hpp"

namespace tb {

// Interpolation to the nodes of child (position `at` among `scale` children along each axis) of a coarse element:
// double[N][N], fine node first.
template <int D>
inline void child_interpolation(const std::array<int, 3>& scale, const std::array<int, 3>& at, double* p) {
  constexpr int N = 1 << D;
  for (int n = 0; n < N; n++)
    for (int m = 0; m < N; m++) {
      double w = 1;
      for (int a = 0; a < D; a++) {
        const double x = (at[a] + (n >> a & 1)) / static_cast<double>(scale[a]);
        w *= (m >> a & 1) ? x : 1 - x;
      }
      p[n * N + m] = w;
    }
}

// out += P^T M P with the same scalar interpolation p for every component. 2 C^2 N^3 multiply-adds.
template <int D, int C, class T, class M>
inline void triple_product(const M* matrix, const double* p, T* out) {
  constexpr int N = 1 << D, NC = N * C;
  for (int c = 0; c < C; c++)
    for (int k = 0; k < C; k++) {
      T right[N][N];  // M P
      for (int a = 0; a < N; a++) {
        for (int m = 0; m < N; m++) right[a][m] = 0;
        for (int b = 0; b < N; b++) {
          const T x = static_cast<T>(matrix[(c * N + a) * NC + k * N + b]);
          for (int m = 0; m < N; m++) right[a][m] += x * static_cast<T>(p[b * N + m]);
        }
      }
      for (int a = 0; a < N; a++)
        for (int n = 0; n < N; n++) {
          const T x = static_cast<T>(p[a * N + n]);
          T* o = out + (c * N + n) * NC + k * N;
          for (int m = 0; m < N; m++) o[m] += x * right[a][m];
        }
    }
}

// What each of the scale[0] x scale[1] x scale[2] children adds at unit modulus: float[children][NC][NC].
template <int D, int C>
inline std::vector<float> child_matrices(const double* K0, const std::array<int, 3>& scale) {
  constexpr int N = 1 << D, NC = N * C;
  std::vector<float> out;
  for (int z = 0; z < (D == 3 ? scale[2] : 1); z++)
    for (int y = 0; y < scale[1]; y++)
      for (int x = 0; x < scale[0]; x++) {
        double p[N * N];
        std::vector<double> m(NC * NC, 0.0);
        child_interpolation<D>(scale, {x, y, z}, p);
        triple_product<D, C, double>(K0, p, m.data());
        out.insert(out.end(), m.begin(), m.end());
      }
  return out;
}

// Matrices of a stored level straight from the finest moduli (exact Galerkin through all levels between).
template <int D, int C>
inline void assemble_from_moduli(const Box& f, const float* moduli, const Box& c, const std::array<int, 3>& scale,
                                 const std::vector<float>& child, float* matrices, int threads) {
  constexpr int NC = (1 << D) * C;
  const int sz = D == 3 ? scale[2] : 1;
  const long rows = c.n[1] * (D == 3 ? c.n[2] : 1);
#pragma omp parallel for schedule(static) num_threads(threads) if (worth_threads(f.padded_elements()))
  for (long r = 0; r < rows; r++) {
    const long J = r % c.n[1], K = r / c.n[1];
    for (long I = 0; I < c.n[0]; I++) {
      float* m = matrices + (r * c.n[0] + I) * NC * NC;
      for (int q = 0; q < NC * NC; q++) m[q] = 0;
      const float* g = child.data();
      for (int z = 0; z < sz; z++)
        for (int y = 0; y < scale[1]; y++)
          for (int x = 0; x < scale[0]; x++, g += NC * NC) {
            const long i = I * scale[0] + x, j = J * scale[1] + y, k = K * sz + z;
            if (i >= f.n[0] || j >= f.n[1] || (D == 3 && k >= f.n[2])) continue;
            const float e = moduli[(k * f.n[1] + j) * f.nxp + i];
#pragma omp simd
            for (int q = 0; q < NC * NC; q++) m[q] += e * g[q];
          }
    }
  }
}

// Matrices of a stored level from those of the stored level below it.
template <int D, int C>
inline void assemble_from_matrices(const Box& f, const float* fine, const Box& c, const std::array<int, 3>& factor,
                                   float* matrices, int threads) {
  constexpr int N = 1 << D, NC = N * C;
  const int fz = D == 3 ? factor[2] : 1;
  std::vector<double> p(static_cast<std::size_t>(factor[0]) * factor[1] * fz * N * N);
  {
    double* at = p.data();
    for (int z = 0; z < fz; z++)
      for (int y = 0; y < factor[1]; y++)
        for (int x = 0; x < factor[0]; x++, at += N * N) child_interpolation<D>(factor, {x, y, z}, at);
  }
  const long rows = c.n[1] * (D == 3 ? c.n[2] : 1);
#pragma omp parallel for schedule(static) num_threads(threads) if (worth_threads(f.padded_elements() * 64))
  for (long r = 0; r < rows; r++) {
    const long J = r % c.n[1], K = r / c.n[1];
    for (long I = 0; I < c.n[0]; I++) {
      float* m = matrices + (r * c.n[0] + I) * NC * NC;
      for (int q = 0; q < NC * NC; q++) m[q] = 0;
      const double* at = p.data();
      for (int z = 0; z < fz; z++)
        for (int y = 0; y < factor[1]; y++)
          for (int x = 0; x < factor[0]; x++, at += N * N) {
            const long i = I * factor[0] + x, j = J * factor[1] + y, k = K * fz + z;
            if (i >= f.n[0] || j >= f.n[1] || (D == 3 && k >= f.n[2])) continue;
            triple_product<D, C, float>(fine + ((k * f.n[1] + j) * f.n[0] + i) * NC * NC, at, m);
          }
    }
  }
}

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
