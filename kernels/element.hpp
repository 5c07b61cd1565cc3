// What one vector of voxels does to its nodal values: the fine element in its mirror-symmetric form, and the
// Galerkin element of the first coarse grid, whose matrix is never stored.
//
// D dimensions, C components (C == D: elasticity, C == 1: conduction), N = 2^D nodes.
#pragma once

#include <utility>

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

// Whether the Galerkin coefficient (t, block P, c, k) of the first coarse element can be other than zero.
// A child's mode m' is fed by the parent's modes that contain it.
template <int D, int C>
constexpr bool couples(int t, int P, int c, int k) {
  constexpr int N = 1 << D;
  const int m = mode_of<C>(c, P), n = mode_of<C>(k, P ^ t);
  for (int p = 0; p < N; p++) {
    const int a = mode_of<C>(c, p), b = mode_of<C>(k, p);
    const bool rigid = C == 1 ? p == 0 : (a == 0 || b == 0);  // a constant stores no energy
    if (!rigid && (a & ~m) == 0 && (b & ~n) == 0) return true;
  }
  return false;
}

// The element of the first coarse grid: coefficient t (Hadamard transform of the children's moduli) couples
// block P to block P ^ t. In 3-D elasticity 279 of 576 couplings are not zero.
template <class T, int D, int C>
struct CoarseElement {
  static constexpr int N = 1 << D;
  using V = typename Simd<T>::V;
  T coef[N][N][C][C];

  template <int P, int c, int t>
  inline __attribute__((always_inline)) void row(const V (*v)[N], const V* e, V& s) const {
    constexpr bool any = couples<D, C>(t, P, c, 0) || (C > 1 && couples<D, C>(t, P, c, C > 1 ? 1 : 0)) ||
                         (C > 2 && couples<D, C>(t, P, c, C > 2 ? 2 : 0));
    if constexpr (any) {
      V a{};
      if constexpr (couples<D, C>(t, P, c, 0)) a += coef[t][P][c][0] * v[0][mode_of<C>(0, P ^ t)];
      if constexpr (C > 1)
        if constexpr (couples<D, C>(t, P, c, 1)) a += coef[t][P][c][1] * v[1][mode_of<C>(1, P ^ t)];
      if constexpr (C > 2)
        if constexpr (couples<D, C>(t, P, c, 2)) a += coef[t][P][c][2] * v[2][mode_of<C>(2, P ^ t)];
      s += e[t] * a;
    }
  }

  template <int P, int c, int... t>
  inline __attribute__((always_inline)) V rows(const V (*v)[N], const V* e, std::integer_sequence<int, t...>) const {
    V s{};
    (row<P, c, t>(v, e, s), ...);
    return s;
  }

  template <int... i>
  inline __attribute__((always_inline)) void all(const V (*v)[N], const V* e, V (*out)[N],
                                                 std::integer_sequence<int, i...>) const {
    ((out[i % C][mode_of<C>(i % C, i / C)] = rows<i / C, i % C>(v, e, std::make_integer_sequence<int, N>{})), ...);
  }

  // out = K v, e[t] the transformed moduli of the children; v is spoilt.
  inline __attribute__((always_inline)) void apply(V (*v)[N], const V* e, V (*out)[N]) const {
    for (int c = 0; c < C; c++) hadamard<N>(v[c]);
    all(v, e, out, std::make_integer_sequence<int, N * C>{});
    for (int c = 0; c < C; c++) hadamard<N>(out[c]);
  }
};

}  // namespace tb
