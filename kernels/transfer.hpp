// Linear interpolation between grids and its transpose. A coarse grid has ceil(n / 2) elements along a coarsened axis:
// where n is odd its last element reaches past the domain, which costs nothing and needs no padding.
#pragma once

#include <algorithm>

#include "level.hpp"

namespace tb {

// Coarse node indices and weights that make up fine node i.
struct Stencil1 {
  long node[2];
  float weight[2];
  int count;
};

inline Stencil1 parents(long i, int factor) {
  if (factor == 1) return {{i, 0}, {1.f, 0.f}, 1};
  if (i % 2 == 0) return {{i / 2, 0}, {1.f, 0.f}, 1};
  return {{i / 2, i / 2 + 1}, {.5f, .5f}, 2};
}

// Fine node indices and weights that a coarse node gathers.
struct Gather1 {
  long node[3];
  float weight[3];
  int count;
};

inline Gather1 children(long I, int factor, long fine_nodes) {
  Gather1 g{{0, 0, 0}, {0, 0, 0}, 0};
  if (factor == 1) return {{I, 0, 0}, {1.f, 0, 0}, 1};
  const float w[3] = {.5f, 1.f, .5f};
  for (int d = -1; d <= 1; d++) {
    const long i = 2 * I + d;
    if (i < 0 || i >= fine_nodes) continue;
    g.node[g.count] = i;
    g.weight[g.count++] = w[d + 1];
  }
  return g;
}

// coarse = P^T fine, zero where keep == 0.
template <int C>
inline void restrict_to(const Box& f, const Box& c, const std::array<int, 3>& factor, const float* fine, float* coarse,
                        const float* keep, int threads) {
  const long lines = C * c.nodes_along(2) * c.nodes_along(1), width = f.sx + 16;
  parallel(lines, threads_for(f.sc * C, threads), [&](long l) {
    const long j = l % c.nodes_along(1), k = l / c.nodes_along(1) % c.nodes_along(2),
               comp = l / (c.nodes_along(1) * c.nodes_along(2));
    float* t = scratch<float>(width) + 8;
    const long m = f.nodes_along(0);
    for (long i = 0; i < m; i++) t[i] = 0;
    t[-1] = t[m] = 0;
    const Gather1 gy = children(j, f.D > 1 ? factor[1] : 1, f.nodes_along(1)),
                  gz = children(k, f.D > 2 ? factor[2] : 1, f.nodes_along(2));
    for (int b = 0; b < gz.count; b++)
      for (int a = 0; a < gy.count; a++) {
        const float w = gz.weight[b] * gy.weight[a];
        const float* s = fine + comp * f.sc + gz.node[b] * (f.D == 3 ? f.sy : 0) + gy.node[a] * f.sx;
#pragma omp simd
        for (long i = 0; i < m; i++) t[i] += w * s[i];
      }
    const long at = comp * c.sc + k * (c.D == 3 ? c.sy : 0) + j * c.sx;
    float* o = coarse + at;
    const float* kp = keep + at;
    const long M = c.nodes_along(0);
    if (factor[0] == 1) {
      for (long I = 0; I < M; I++) o[I] = kp[I] != 0 ? t[I] : 0;
    } else {
      const long whole = std::min(M, (m - 1) / 2 + 1);
      for (long I = 0; I < whole; I++) o[I] = kp[I] != 0 ? t[2 * I] + .5f * (t[2 * I - 1] + t[2 * I + 1]) : 0;
      for (long I = whole; I < M; I++) o[I] = kp[I] != 0 ? .5f * t[2 * I - 1] : 0;
    }
  });
}

// fine = P coarse, zero where keep == 0.
template <int C>
inline void prolong_to(const Box& f, const Box& c, const std::array<int, 3>& factor, const float* coarse, float* fine,
                       const float* keep, int threads) {
  const long lines = C * f.nodes_along(2) * f.nodes_along(1), width = c.sx + 16;
  parallel(lines, threads_for(f.sc * C, threads), [&](long l) {
    const long j = l % f.nodes_along(1), k = l / f.nodes_along(1) % f.nodes_along(2),
               comp = l / (f.nodes_along(1) * f.nodes_along(2));
    float* t = scratch<float>(width);
    const long M = c.nodes_along(0), m = f.nodes_along(0);
    for (long I = 0; I < M; I++) t[I] = 0;
    const Stencil1 py = parents(j, f.D > 1 ? factor[1] : 1), pz = parents(k, f.D > 2 ? factor[2] : 1);
    for (int b = 0; b < pz.count; b++)
      for (int a = 0; a < py.count; a++) {
        const float w = pz.weight[b] * py.weight[a];
        const float* s = coarse + comp * c.sc + pz.node[b] * (c.D == 3 ? c.sy : 0) + py.node[a] * c.sx;
#pragma omp simd
        for (long I = 0; I < M; I++) t[I] += w * s[I];
      }
    const long at = comp * f.sc + k * (f.D == 3 ? f.sy : 0) + j * f.sx;
    float* o = fine + at;
    const float* kp = keep + at;
    if (factor[0] == 1) {
      for (long i = 0; i < m; i++) o[i] = kp[i] != 0 ? t[i] : 0;
    } else {
      for (long I = 0; 2 * I < m; I++) o[2 * I] = kp[2 * I] != 0 ? t[I] : 0;
      for (long I = 0; 2 * I + 1 < m; I++) o[2 * I + 1] = kp[2 * I + 1] != 0 ? .5f * (t[I] + t[I + 1]) : 0;
    }
  });
}

}  // namespace tb
