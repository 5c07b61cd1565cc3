// Convolution of a voxel array with a small kernel that is mirror-symmetric in every axis (the cone of the density
// filter), without wrapping: voxels outside the box count as zero.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <vector>

#include "gil.hpp"
#include "parallel.hpp"

namespace tb::design {

using Index = std::ptrdiff_t;

// A mirror-symmetric kernel: `weights[(a * (hy + 1) + b) * (hx + 1) + c]` belongs to all offsets
// (dz, dy, dx) with |dz| = a, |dy| = b, |dx| = c.
struct Octant {
  const double* weights;
  Index hz, hy, hx;

  const double* row(Index a, Index b) const { return weights + (a * (hy + 1) + b) * (hx + 1); }

  // Largest |dx| with a weight in that row, -1 where the row is empty.
  Index reach(Index a, Index b) const {
    Index c = hx;
    while (c >= 0 && row(a, b)[c] == 0.0) --c;
    return c;
  }
};

// sum[x] += in[x] * (before ? before[x] : 1): one row into the padded row buffer.
inline void add_row(double* __restrict sum, const double* __restrict in, const double* __restrict before, Index nx) {
  if (before) {
#pragma omp simd
    for (Index x = 0; x < nx; ++x) sum[x] += in[x] * before[x];
  } else {
#pragma omp simd
    for (Index x = 0; x < nx; ++x) sum[x] += in[x];
  }
}

// out[x] += w[0] sum[x] + sum over c of w[c] (sum[x - c] + sum[x + c]); `sum` is padded with zeros by `reach`.
// Two taps a pass, so that `out` is touched half as often.
inline void spread_row(double* __restrict out, const double* __restrict sum, const double* w, Index reach, Index nx) {
  Index c = 1;
  if (reach >= 1) {
    const double w0 = w[0], w1 = w[1];
#pragma omp simd
    for (Index x = 0; x < nx; ++x) out[x] += w0 * sum[x] + w1 * (sum[x - 1] + sum[x + 1]);
    c = 2;
  } else {
    const double w0 = w[0];
#pragma omp simd
    for (Index x = 0; x < nx; ++x) out[x] += w0 * sum[x];
  }
  for (; c + 1 <= reach; c += 2) {
    const double wa = w[c], wb = w[c + 1];
#pragma omp simd
    for (Index x = 0; x < nx; ++x) out[x] += wa * (sum[x - c] + sum[x + c]) + wb * (sum[x - c - 1] + sum[x + c + 1]);
  }
  if (c <= reach) {
    const double wa = w[c];
#pragma omp simd
    for (Index x = 0; x < nx; ++x) out[x] += wa * (sum[x - c] + sum[x + c]);
  }
}

// out = after * (kernel conv (before * in)); `before` and `after` may be null. Arrays [nz, ny, nx], x fastest.
// Rows at the same (|dz|, |dy|) share their weights and are added first: (2 hz + 1)(2 hy + 1) additions and
// (hz + 1)(hy + 1)(2 hx + 1) multiply-adds a voxel. Every voxel is computed by one thread in a fixed order, so the
// result does not depend on the number of threads.
inline void convolve(const double* in, const double* before, const double* after, double* out, Index nz, Index ny,
                     Index nx, Octant kernel, int threads) {
  std::vector<Index> reach((kernel.hz + 1) * (kernel.hy + 1));
  for (Index a = 0; a <= kernel.hz; ++a)
    for (Index b = 0; b <= kernel.hy; ++b) reach[a * (kernel.hy + 1) + b] = kernel.reach(a, b);
  const Index pad = kernel.hx;
  parallel(nz * ny, threads, [&](Index row) {
    const Index z = row / ny, y = row % ny;
    double* __restrict to = out + row * nx;
    double* padded = scratch<double>(nx + 2 * pad);
    double* sum = padded + pad;
    std::fill(padded, sum, 0.0);
    std::fill(sum + nx, sum + nx + pad, 0.0);
    std::fill(to, to + nx, 0.0);
    for (Index a = 0; a <= kernel.hz; ++a)
      for (Index b = 0; b <= kernel.hy; ++b) {
        const Index width = reach[a * (kernel.hy + 1) + b];
        if (width < 0) continue;
        std::fill(sum, sum + nx, 0.0);
        for (Index dz = -a; dz <= a; dz += std::max<Index>(2 * a, 1))
          for (Index dy = -b; dy <= b; dy += std::max<Index>(2 * b, 1)) {
            const Index zz = z + dz, yy = y + dy;
            if (zz < 0 || zz >= nz || yy < 0 || yy >= ny) continue;
            const Index at = (zz * ny + yy) * nx;
            add_row(sum, in + at, before ? before + at : nullptr, nx);
          }
        spread_row(to, sum, kernel.row(a, b), width, nx);
      }
    if (after) {
      const double* __restrict scale = after + row * nx;
#pragma omp simd
      for (Index x = 0; x < nx; ++x) to[x] *= scale[x];
    }
  });
}

}  // namespace tb::design

namespace tb {

inline void bind_stencil(nanobind::module_& m) {
  namespace nb = nanobind;
  using namespace design;
  using Voxels = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
  using Result = nb::ndarray<double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;
  m.def(
      "convolve",
      [](Voxels in, Voxels weights, Result out, std::optional<Voxels> before, std::optional<Voxels> after,
         int threads) {
        for (int axis = 0; axis < 3; ++axis) {
          if (weights.shape(axis) == 0) throw std::invalid_argument("convolve: weights must not be empty");
          if (out.shape(axis) != in.shape(axis) || (before && before->shape(axis) != in.shape(axis)) ||
              (after && after->shape(axis) != in.shape(axis)))
            throw std::invalid_argument("convolve: all voxel arrays must have the same shape");
        }
        if (static_cast<const double*>(out.data()) == in.data())
          throw std::invalid_argument("convolve: cannot work in place");
        if (threads < 1) throw std::invalid_argument("convolve: threads must be positive");
        const Octant kernel{weights.data(), static_cast<Index>(weights.shape(0)) - 1,
                            static_cast<Index>(weights.shape(1)) - 1, static_cast<Index>(weights.shape(2)) - 1};
        const WithoutLock unlocked;
        convolve(in.data(), before ? before->data() : nullptr, after ? after->data() : nullptr, out.data(),
                 static_cast<Index>(in.shape(0)), static_cast<Index>(in.shape(1)), static_cast<Index>(in.shape(2)),
                 kernel, threads);
      },
      nb::arg("voxels"), nb::arg("weights"), nb::arg("out"), nb::arg("before") = nb::none(),
      nb::arg("after") = nb::none(), nb::arg("threads") = 1,
      "out = after * (kernel conv (before * voxels)), float64 [z, y, x]; `weights` is the kernel's octant.");
}

}  // namespace tb
