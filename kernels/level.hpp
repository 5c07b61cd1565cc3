// One grid of the hierarchy: its box, its padded arrays, and the products with its stiffness matrix.
//
// Node arrays are [component][z][y][x] with rows padded to `sx`; element arrays [z][y][x] with rows padded to `nxp`.
// Slabs (layers in 3-D, rows in 2-D) are processed in two colours, so that no two threads touch the same node and
// every sum is taken in the same order whatever the number of threads.
#pragma once

#include <array>
#include <vector>

#include "element.hpp"
#include "parallel.hpp"
#include "simd.hpp"

namespace tb {

// Sizes and strides of one grid.
struct Box {
  std::array<long, 3> n{1, 1, 1};  // elements along x, y, z
  long nxp = 0, sx = 0, sy = 0, sc = 0;
  long layers = 0, rows = 0;  // slabs, and element rows in a slab
  long layer_stride = 0, row_stride = 0;
  int D = 3;

  Box() = default;
  Box(int dimension, std::array<long, 3> elements) : n(elements), D(dimension) {
    nxp = (n[0] + kChunk - 1) / kChunk * kChunk;
    sx = (nxp + 1 + 7) / 8 * 8;
    if (D == 2) n[2] = 1;
    sy = sx * (n[1] + 1);
    sc = D == 3 ? sy * (n[2] + 1) : sy;
    layers = D == 3 ? n[2] : n[1];
    rows = D == 3 ? n[1] : 1;
    layer_stride = D == 3 ? sy : sx;
    row_stride = D == 3 ? sx : 0;
  }
  long nodes_along(int axis) const { return axis < D ? n[axis] + 1 : 1; }
  long padded_elements() const { return nxp * layers * rows; }
  long nodes() const { return nodes_along(0) * nodes_along(1) * nodes_along(2); }
  // Offset of node line q (bit 0: first transverse axis, bit 1: second) of element row (layer, row).
  long line(long layer, long row, int q) const {
    if (D == 2) return (layer + q) * sx;
    return (layer + (q >> 1)) * sy + (row + (q & 1)) * sx;
  }
};

// A fixed degree of freedom of the finest grid that lies between the nodes of a coarse one: the coarse grid feels it
// as a spring of the stiffness the node itself has (docs/theory.md, "Supports between coarse planes").
template <int N>
struct Spring {
  long fine;                    // its place in the finest grid's arrays
  std::array<long, N> node;     // coarse degrees of freedom, in the coarse grid's arrays
  std::array<float, N> weight;  // interpolation weights, 0 where the coarse degree of freedom is held
};

// One for so few elements or values that waking a thread costs more than it brings.
inline int threads_for(long work, int threads) { return work > 3000 ? threads : 1; }

// Runs body(slab) over slabs in two colours.
template <class F>
inline void coloured(long layers, long work, int threads, F body) {
  for (int colour = 0; colour < 2; colour++)
    parallel((layers - colour + 1) / 2, threads_for(work, threads), [&](long i) { body(2 * i + colour, colour); });
}

// y = A u for elements given by `element(row_index, i, v, out)`, which turns nodal values v into forces out.
template <class T, int D, int C, class Element>
inline void product(const Box& g, const T* u, T* y, int threads, Element element) {
  constexpr int N = 1 << D, L = N / 2, W = Simd<T>::W;
  using S = Simd<T>;
  using V = typename S::V;
  coloured(g.layers, g.padded_elements(), threads, [&](long k, int colour) {
    if (colour == 0)
      for (int c = 0; c < C; c++) {
        T* plane = y + c * g.sc + k * g.layer_stride;
        std::memset(plane, 0, sizeof(T) * g.layer_stride * 2);
        if (k == g.layers - 2) std::memset(plane + 2 * g.layer_stride, 0, sizeof(T) * g.layer_stride);
      }
    for (long j = 0; j < g.rows; j++) {
      long off[C][L];
      V carry[C][L];
      for (int c = 0; c < C; c++)
        for (int q = 0; q < L; q++) {
          off[c][q] = c * g.sc + g.line(k, j, q);
          carry[c][q] = V{};
        }
      const long row = (k * g.rows + j) * g.nxp;
      for (long i = 0; i < g.nxp; i += W) {
        V v[C][N], out[C][N];
#pragma GCC unroll 3
        for (int c = 0; c < C; c++)
#pragma GCC unroll 4
          for (int q = 0; q < L; q++) {
            const T* p = u + off[c][q] + i;
            v[c][2 * q] = S::load(p);
            v[c][2 * q + 1] = S::load(p + 1);
          }
        element(row + i, v, out);
#pragma GCC unroll 3
        for (int c = 0; c < C; c++)
#pragma GCC unroll 4
          for (int q = 0; q < L; q++) {
            T* p = y + off[c][q] + i;
            S::store(p, S::load(p) + (out[c][2 * q] + S::shift_in(carry[c][q], out[c][2 * q + 1])));
            carry[c][q] = out[c][2 * q + 1];
          }
      }
      for (int c = 0; c < C; c++)
        for (int q = 0; q < L; q++) y[off[c][q] + g.nxp] += carry[c][q][W - 1];
    }
  });
}

template <class T, int D, int C>
inline void product_fine(const Box& g, const FineElement<T, D, C>& element, const T* stiffness, const T* u, T* y,
                         int threads) {
  constexpr int N = 1 << D;
  using V = typename Simd<T>::V;
  product<T, D, C>(g, u, y, threads, [&](long e, V(*v)[N], V(*out)[N]) __attribute__((always_inline)) {
    element.apply(v, Simd<T>::load(stiffness + e));
    for (int c = 0; c < C; c++)
      for (int n = 0; n < N; n++) out[c][n] = v[c][n];
  });
}

// y = A u on a coarse grid; moments float[chunk of kChunk elements][moment][kChunk].
template <int D, int C>
inline void product_moments(const Box& g, const MomentElement<D, C>& element, const float* moments, const float* u,
                            float* y, int threads) {
  constexpr int N = 1 << D, M = MomentElement<D, C>::kMoments;
  using V = typename Simd<float>::V;
  product<float, D, C>(g, u, y, threads, [&](long e, V(*v)[N], V(*out)[N]) __attribute__((always_inline)) {
    V m[M];
    for (int t = 0; t < M; t++) m[t] = Simd<float>::load(moments + e * M + t * kChunk);
    element.apply(v, m, out);
  });
}

// Body over [0, n) in fixed blocks, so that sums do not depend on the number of threads.
constexpr long kBlock = 8192;

template <class F>
inline void blocks(long n, int threads, F body) {
  const long count = (n + kBlock - 1) / kBlock;
  parallel(count, threads_for(n, threads), [&](long b) { body(b, b * kBlock, std::min(n, (b + 1) * kBlock)); });
}

// Sum over fixed blocks of body(begin, end).
template <class F>
inline double sum(long n, int threads, std::vector<double>& part, F body) {
  part.assign((n + kBlock - 1) / kBlock, 0.0);
  blocks(n, threads, [&](long b, long begin, long end) { part[b] = body(begin, end); });
  double total = 0;
  for (double p : part) total += p;
  return total;
}

}  // namespace tb
