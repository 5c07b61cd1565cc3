// Moments of the moduli in the elements of a coarse grid: exact Galerkin coarsening, grid by grid.
#pragma once

#include "level.hpp"

namespace tb {

// Moments of a child in its own coordinate (each axis 1 .. -1: the sum/difference transform gives a mode the sign + at
// the origin's side) become part of its parent's, along one axis.
// xi = (xi' + side) / 2, side -1 or 1: order 0, 1, 2.
inline void lift(const float* child, float side, float* parent) {
  parent[0] += .5f * child[0];
  parent[1] += .25f * (child[1] + side * child[0]);
  parent[2] += .125f * (child[2] + 2 * side * child[1] + child[0]);
}

// A voxel of modulus e has moments e * (2, 0, 2/3) along each axis.
template <int D>
inline void voxel_moments(float e, float* m) {
  constexpr float axis[3] = {2.f, 0.f, 2.f / 3.f};
  for (int z = 0; z < (D == 3 ? 3 : 1); z++)
    for (int y = 0; y < 3; y++)
      for (int x = 0; x < 3; x++) m[(z * 3 + y) * 3 + x] = e * axis[x] * axis[y] * (D == 3 ? axis[z] : 1.f);
}

// Adds a child's moments to its parent's; side 0 along an axis that is not coarsened.
template <int D>
inline void add_child(const float* child, const std::array<int, 3>& side, float* parent) {
  constexpr int planes = D == 3 ? 3 : 1, M = planes * 9;
  float a[M], b[M];
  for (int i = 0; i < M; i++) a[i] = child[i];
  for (int axis = 0; axis < D; axis++) {
    if (side[axis] == 0) continue;
    const int stride = axis == 0 ? 1 : axis == 1 ? 3 : 9;
    for (int i = 0; i < M; i++) b[i] = 0;
    for (int i = 0; i < M; i++)
      if (i / stride % 3 == 0) {
        const float c[3] = {a[i], a[i + stride], a[i + 2 * stride]};
        float p[3] = {0, 0, 0};
        lift(c, static_cast<float>(side[axis]), p);
        for (int k = 0; k < 3; k++) b[i + k * stride] = p[k];
      }
    for (int i = 0; i < M; i++) a[i] = b[i];
  }
  for (int i = 0; i < M; i++) parent[i] += a[i];
}

// Moments of 2^D voxels of moduli e: along an axis the sum, half the difference, a third of the sum.
template <int D>
inline void pair_moments(float* e, float* m) {
  constexpr float weight[3] = {1.f, .5f, 1.f / 3.f};
  hadamard<1 << D>(e);
  for (int z = 0; z < (D == 3 ? 3 : 1); z++)
    for (int y = 0; y < 3; y++)
      for (int x = 0; x < 3; x++)
        m[(z * 3 + y) * 3 + x] =
            e[(x == 1) | (y == 1) << 1 | (z == 1) << 2] * weight[x] * weight[y] * (D == 3 ? weight[z] : 1.f);
}

// Moments of every element of the first coarse grid where every axis is halved, from the finest moduli.
template <int D>
inline void halve_moduli(const Box& f, const float* moduli, const Box& c, float* moments, int threads) {
  constexpr int N = 1 << D, M = D == 3 ? 27 : 9;
  const long rows = c.n[1] * (D == 3 ? c.n[2] : 1);
  parallel(rows, threads_for(f.padded_elements(), threads), [&](long r) {
    const float* line[N / 2];
    for (int q = 0; q < N / 2; q++) {
      const long j = 2 * (r % c.n[1]) + (q & 1), k = D == 3 ? 2 * (r / c.n[1]) + (q >> 1) : 0;
      line[q] = j < f.n[1] && (D < 3 || k < f.n[2]) ? moduli + (k * f.n[1] + j) * f.nxp : nullptr;
    }
    for (long I = 0; I < c.n[0]; I++) {
      float e[N], m[M];
      for (int q = 0; q < N / 2; q++) {
        e[2 * q] = line[q] ? line[q][2 * I] : 0;
        e[2 * q + 1] = line[q] && 2 * I + 1 < f.n[0] ? line[q][2 * I + 1] : 0;
      }
      pair_moments<D>(e, m);
      const long at = r * c.nxp + I;
      float* out = moments + at / kChunk * kChunk * M + at % kChunk;
      for (int t = 0; t < M; t++) out[t * kChunk] = m[t];
    }
  });
}

// Moments of every element of grid c from those of the finer grid f: `child(row, i, m)` gives a child's.
template <int D, class Child>
inline void coarsen_moments(const Box& f, const Box& c, const std::array<int, 3>& factor, float* moments, int threads,
                            Child child) {
  constexpr int M = D == 3 ? 27 : 9;
  const long rows = c.n[1] * (D == 3 ? c.n[2] : 1);
  parallel(rows, threads_for(f.padded_elements(), threads), [&](long r) {
    const long J = r % c.n[1], K = r / c.n[1];
    for (long I = 0; I < c.n[0]; I++) {
      float sum[M] = {};
      for (int z = 0; z < (D == 3 ? factor[2] : 1); z++)
        for (int y = 0; y < factor[1]; y++)
          for (int x = 0; x < factor[0]; x++) {
            const long i = I * factor[0] + x, j = J * factor[1] + y, k = D == 3 ? K * factor[2] + z : 0;
            if (i >= f.n[0] || j >= f.n[1] || (D == 3 && k >= f.n[2])) continue;
            float m[M];
            child((k * f.n[1] + j), i, m);
            const std::array<int, 3> side{factor[0] == 1 ? 0 : 1 - 2 * x, factor[1] == 1 ? 0 : 1 - 2 * y,
                                          D < 3 || factor[2] == 1 ? 0 : 1 - 2 * z};
            add_child<D>(m, side, sum);
          }
      const long e = r * c.nxp + I;
      float* out = moments + e / kChunk * kChunk * M + e % kChunk;
      for (int t = 0; t < M; t++) out[t * kChunk] = sum[t];
    }
  });
}

}  // namespace tb
