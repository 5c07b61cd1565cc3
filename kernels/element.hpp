// What one vector of voxels does to its nodal values: the fine element in its mirror-symmetric form, and the
// Galerkin element of a coarse grid in moments of the moduli. No matrix is ever stored.
//
// D dimensions, C components (C == D: elasticity, C == 1: conduction), N = 2^D nodes.
#pragma once

#include "simd.hpp"

namespace tb {

template <int C>
constexpr int mode_of(int component, int block) {
  return C == 1 ? block : block ^ (1 << component);
}

// Sum/difference (Hadamard) transform over the N nodes, in place. N log2 N additions.
template <int N, class V>
inline __attribute__((always_inline)) void hadamard(V* v) {
#pragma GCC unroll 8
  for (int s = 1; s < N; s *= 2)
#pragma GCC unroll 8
    for (int q = 0; q < N; q++)
      if (!(q & s)) {
        V a = v[q], b = v[q + s];
        v[q] = a + b;
        v[q + s] = a - b;
      }
}

// The fine element: N blocks of C x C. In 3-D elasticity 72 additions, 72 multiply-adds, 72 additions.
template <class T, int D, int C>
struct FineElement {
  static constexpr int N = 1 << D;
  using V = typename Simd<T>::V;
  T block[N][C][C];

  // v[c][n] becomes e * K0 v.
  inline __attribute__((always_inline)) void apply(V (*v)[N], V e) const {
    for (int c = 0; c < C; c++) hadamard<N>(v[c]);
#pragma GCC unroll 8
    for (int p = 0; p < N; p++) {
      V x[C];
#pragma GCC unroll 3
      for (int c = 0; c < C; c++) x[c] = v[c][mode_of<C>(c, p)] * e;
#pragma GCC unroll 3
      for (int c = 0; c < C; c++) {
        V s = block[p][c][0] * x[0];
#pragma GCC unroll 3
        for (int k = 1; k < C; k++) s += block[p][c][k] * x[k];
        v[c][mode_of<C>(c, p)] = s;
      }
    }
    for (int c = 0; c < C; c++) hadamard<N>(v[c]);
  }

  // v^T K0 v.
  inline __attribute__((always_inline)) V energy(V (*v)[N]) const {
    for (int c = 0; c < C; c++) hadamard<N>(v[c]);
    V total{};
    for (int p = 0; p < N; p++)
      for (int c = 0; c < C; c++) {
        V s{};
        for (int k = 0; k < C; k++) s += block[p][c][k] * v[k][mode_of<C>(k, p)];
        total += s * v[c][mode_of<C>(c, p)];
      }
    return total;
  }
};

// The Galerkin element of any coarse grid. Gradients of its nodal functions are products of 1, xi, eta, zeta, so what
// the moduli of all the voxels inside do to it is said by their moments of order 0 to 2 along each axis: 3^D numbers
// (27 in 3-D) in place of a matrix of 300. A monomial is a set of axes (bit d: the coordinate along axis d).
//
// In 3-D elasticity 205 multiply-adds between the two transforms.
template <int D, int C>
struct MomentElement {
  static constexpr int N = 1 << D, kFull = N - 1;
  static constexpr int kMoments = D == 3 ? 27 : 9;
  using V = Simd<float>::V;
  float scale[D];               // derivative along an axis: 2 / edge length
  float first = 0, second = 0;  // elasticity: Lame's lambda and mu; conduction: 0 and the conductivity

  // Which moment the product of two monomials is integrated to.
  static constexpr int moment(int a, int b) {
    int index = 0, power = 1;
    for (int d = 0; d < D; d++, power *= 3) index += ((a >> d & 1) + (b >> d & 1)) * power;
    return index;
  }

  // out = K v; m[i] the moments; v is spoilt.
  inline __attribute__((always_inline)) void apply(V (*v)[N], const V* m, V (*out)[N]) const {
#pragma GCC unroll 3
    for (int c = 0; c < C; c++) {
      hadamard<N>(v[c]);
#pragma GCC unroll 8
      for (int n = 0; n < N; n++) out[c][n] = V{};
    }
    if constexpr (C == 1)
      conduct(v[0], m, out[0]);
    else
      strain(v, m, out);
#pragma GCC unroll 3
    for (int c = 0; c < C; c++) hadamard<N>(out[c]);
  }

  inline __attribute__((always_inline)) void conduct(const V* v, const V* m, V* out) const {
#pragma GCC unroll 3
    for (int d = 0; d < D; d++) {
      const float k = second * scale[d] * scale[d];
#pragma GCC unroll 8
      for (int a = 0; a < N; a++)
        if (!(a >> d & 1)) {
          V s{};
#pragma GCC unroll 8
          for (int b = 0; b < N; b++)
            if (!(b >> d & 1)) s += m[moment(a, b)] * v[b | 1 << d];
          out[a | 1 << d] += s * k;
        }
    }
  }

  inline __attribute__((always_inline)) void strain(const V (*v)[N], const V* m, V (*out)[N]) const {
    V normal[D][N], trace[N];
#pragma GCC unroll 8
    for (int a = 0; a < kFull; a++) trace[a] = V{};
#pragma GCC unroll 3
    for (int d = 0; d < D; d++)
#pragma GCC unroll 8
      for (int a = 0; a < N; a++)
        if (!(a >> d & 1)) {
          normal[d][a] = v[d][a | 1 << d] * scale[d];
          trace[a] += normal[d][a];
        }
    V pressure[N];
#pragma GCC unroll 8
    for (int a = 0; a < kFull; a++) {
      V s{};
#pragma GCC unroll 8
      for (int b = 0; b < kFull; b++) s += m[moment(a, b)] * trace[b];
      pressure[a] = s * first;
    }
#pragma GCC unroll 3
    for (int d = 0; d < D; d++)
#pragma GCC unroll 8
      for (int a = 0; a < N; a++)
        if (!(a >> d & 1)) {
          V s{};
#pragma GCC unroll 8
          for (int b = 0; b < N; b++)
            if (!(b >> d & 1)) s += m[moment(a, b)] * normal[d][b];
          out[d][a | 1 << d] += (s * (2 * second) + pressure[a]) * scale[d];
        }
#pragma GCC unroll 2
    for (int d = 0; d < D - 1; d++)
#pragma GCC unroll 3
      for (int e = d + 1; e < D; e++) shear(v, m, out, d, e);
  }

  inline __attribute__((always_inline)) void shear(const V (*v)[N], const V* m, V (*out)[N], int d, int e) const {
    V g[N];
#pragma GCC unroll 8
    for (int a = 0; a < N; a++) {
      g[a] = V{};
      if (!(a >> e & 1)) g[a] += v[d][a | 1 << e] * scale[e];
      if (!(a >> d & 1)) g[a] += v[e][a | 1 << d] * scale[d];
    }
#pragma GCC unroll 8
    for (int a = 0; a < N; a++)
      if (!((a >> d & 1) && (a >> e & 1))) {
        V s{};
#pragma GCC unroll 8
        for (int b = 0; b < N; b++)
          if (!((b >> d & 1) && (b >> e & 1))) s += m[moment(a, b)] * g[b];
        s *= second;
        if (!(a >> e & 1)) out[d][a | 1 << e] += s * scale[e];
        if (!(a >> d & 1)) out[e][a | 1 << d] += s * scale[d];
      }
  }

  // diagonal[c][n] += K's diagonal, from one element's moments.
  void diagonal(const float* m, float (*diagonal)[N]) const {
    for (int n = 0; n < N; n++) {
      float along[D];
      for (int d = 0; d < D; d++) {
        float s = 0;
        for (int a = 0; a < N; a++)
          for (int b = 0; b < N; b++)
            if (!(a >> d & 1) && !(b >> d & 1)) {
              const float sign = ((__builtin_popcount(a & n) + __builtin_popcount(b & n)) & 1) ? -1.f : 1.f;
              s += sign * m[moment(a, b)];
            }
        along[d] = s * scale[d] * scale[d];
      }
      for (int c = 0; c < C; c++)
        for (int d = 0; d < D; d++) diagonal[c][n] += along[d] * (C > 1 && c == d ? first + 2 * second : second);
    }
  }
};

}  // namespace tb
