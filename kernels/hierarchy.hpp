// Multigrid-preconditioned conjugate gradients on a box of voxels: float V/W-cycle inside double CG.
//
// Finest grid matrix-free in mirror-symmetric form; every coarse grid exact Galerkin from moments of the moduli, with
// no matrix stored; the coarsest factorised.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "cholesky.hpp"
#include "moments.hpp"
#include "transfer.hpp"

namespace tb {

struct Settings {
  int threads = 1;
  int degree = 1;           // Chebyshev smoothing on the finest grid
  int coarse_degree = 3;    // and on the coarser ones
  unsigned repeated = ~1u;  // bit l: grid l is visited twice (all bits: W-cycle; none: V-cycle)
  double ratio = 8;         // smoothing range lmax / ratio .. lmax
  int power = 4;            // power iterations for lmax
  double safety = 1.3;      // what its estimate is multiplied by
};

struct Outcome {
  int iterations;
  double residual;
};

class Solver {
 public:
  virtual ~Solver() = default;
  virtual void set_stiffness(const double* relative) = 0;
  virtual Outcome solve(const double* load, double* u, double tolerance, int max_iterations) = 0;
  virtual void apply(const double* u, double* y) = 0;
  virtual void energy(const double* u, double* w) = 0;
  virtual void bilinear(const double* u, const double* v, double* w) = 0;
  virtual void apply_single(int repeats) = 0;
  virtual void apply_double(int repeats) = 0;
  virtual std::size_t bytes() const = 0;
  virtual int levels() const = 0;
  virtual long node_count() const = 0;
  virtual long element_count() const = 0;
  virtual int components() const = 0;
  Settings settings;
};

template <int D, int C>
class Hierarchy final : public Solver {
  static constexpr int N = 1 << D, NC = N * C, M = MomentElement<D, C>::kMoments;

  struct Level {
    Box box;
    std::array<int, 3> factor{1, 1, 1};  // children along each axis, relative to the level above (finer)
    std::array<int, 3> scale{1, 1, 1};   // and relative to the finest
    Array<float> inverse_diagonal;       // 0 where held or outside
    Array<float> x, r, d, y;
    Array<float> moduli;  // finest grid: relative stiffness; the others: moments
    MomentElement<D, C> element;
    std::vector<char> held;
    std::vector<Spring<N>> springs;
    std::vector<float> alpha;
    float lmax = 1;
    long size() const { return box.sc * C; }
  };

 public:
  Hierarchy(std::array<long, 3> elements, std::array<double, 3> spacing, const double* K0, const double* fine,
            std::array<double, 2> constants, const bool* fixed, const Settings& s) {
    settings = s;
    K0_.assign(K0, K0 + NC * NC);
    for (int p = 0; p < N; p++)
      for (int c = 0; c < C; c++)
        for (int k = 0; k < C; k++) {
          const double v = fine[(p * C + c) * C + k];
          fine_.block[p][c][k] = static_cast<float>(v);
          fine_d_.block[p][c][k] = v;
        }
    constants_ = constants;
    build_levels(elements, spacing);
    mark_held(fixed);
    const Box& g = level_[0].box;
    moduli_d_.resize(g.padded_elements());
    for (Array<double>* a : {&u_, &rd_, &dd_, &qd_}) a->resize(level_[0].size());
  }

  int levels() const override { return static_cast<int>(level_.size()); }
  long node_count() const override { return level_[0].box.nodes(); }
  long element_count() const override { return level_[0].box.n[0] * level_[0].box.n[1] * level_[0].box.n[2]; }
  int components() const override { return C; }

  std::size_t bytes() const override {
    std::size_t b = (moduli_d_.size() + u_.size() + rd_.size() + dd_.size() + qd_.size()) * 8;
    for (const Level& L : level_)
      b += (L.inverse_diagonal.size() + L.x.size() + L.r.size() + L.d.size() + L.y.size() + L.moduli.size()) * 4 +
           L.held.size();
    return b;
  }

  void set_stiffness(const double* relative) override {
    Level& f = level_[0];
    const Box& g = f.box;
    const long rows = g.layers * g.rows;
    parallel(rows, threads_for(g.padded_elements(), settings.threads), [&](long r) {
      for (long i = 0; i < g.n[0]; i++) {
        const double e = relative[r * g.n[0] + i];
        moduli_d_[r * g.nxp + i] = e;
        f.moduli[r * g.nxp + i] = static_cast<float>(e);
      }
    });
    for (std::size_t l = 1; l < level_.size(); l++) assemble(static_cast<int>(l));
    diagonals();
    for (std::size_t l = 0; l + 1 < level_.size(); l++) estimate_lmax(static_cast<int>(l));
    factor_coarsest();
  }

  void apply(const double* u, double* y) override {
    pad(u, u_.data());
    product_fine<double, D, C>(level_[0].box, fine_d_, moduli_d_.data(), u_.data(), qd_.data(), settings.threads);
    unpad(qd_.data(), y);
  }

  // The products alone, on whatever is in the padded arrays, without copies from and to plain ones: for benchmarks.
  void apply_single(int repeats) override {
    Level& f = level_[0];
    for (int i = 0; i < repeats; i++) multiply(f, f.x.data(), f.y.data());
  }
  void apply_double(int repeats) override {
    for (int i = 0; i < repeats; i++)
      product_fine<double, D, C>(level_[0].box, fine_d_, moduli_d_.data(), u_.data(), qd_.data(), settings.threads);
  }

  void energy(const double* u, double* w) override {
    using S = Simd<double>;
    const Box& g = level_[0].box;
    pad(u, u_.data());
    const long rows = g.layers * g.rows;
    parallel(rows, threads_for(g.padded_elements(), settings.threads), [&](long r) {
      for (long i = 0; i < g.nxp; i += S::W) {
        typename S::V v[C][N];
        for (int c = 0; c < C; c++)
          for (int q = 0; q < N / 2; q++) {
            const double* p = u_.data() + c * g.sc + g.line(r / g.rows, r % g.rows, q) + i;
            v[c][2 * q] = S::load(p);
            v[c][2 * q + 1] = S::load(p + 1);
          }
        const typename S::V e = fine_d_.energy(v);
        for (int a = 0; a < S::W && i + a < g.n[0]; a++) w[r * g.n[0] + i + a] = e[a];
      }
    });
  }

  // u_e K0 v_e: the product K0 v_e, then with u_e as it is loaded, so that one element's values stay in registers. A
  // loop beside that of the energy: shared, it is summed in another order, and designs differ in their last bits.
  void bilinear(const double* u, const double* v, double* w) override {
    using S = Simd<double>;
    const Box& g = level_[0].box;
    pad(u, u_.data());
    pad(v, dd_.data());
    const long rows = g.layers * g.rows;
    parallel(rows, threads_for(g.padded_elements(), settings.threads), [&](long r) {
      for (long i = 0; i < g.nxp; i += S::W) {
        typename S::V k[C][N];
        for (int c = 0; c < C; c++)
          for (int q = 0; q < N / 2; q++) {
            const double* p = dd_.data() + c * g.sc + g.line(r / g.rows, r % g.rows, q) + i;
            k[c][2 * q] = S::load(p);
            k[c][2 * q + 1] = S::load(p + 1);
          }
        fine_d_.apply(k, typename S::V{} + 1.0);
        typename S::V e{};
        for (int c = 0; c < C; c++)
          for (int q = 0; q < N / 2; q++) {
            const double* p = u_.data() + c * g.sc + g.line(r / g.rows, r % g.rows, q) + i;
            e += S::load(p) * k[c][2 * q] + S::load(p + 1) * k[c][2 * q + 1];
          }
        for (int a = 0; a < S::W && i + a < g.n[0]; a++) w[r * g.n[0] + i + a] = e[a];
      }
    });
  }

  // Flexible (Polak-Ribiere) preconditioned conjugate gradients; u is the start and becomes the solution, or stays the
  // start where the iteration leads nowhere (a load that only void carries is beyond single precision).
  Outcome solve(const double* load, double* u, double tolerance, int max_iterations) override {
    Level& L = level_[0];
    const long n = L.size();
    const int th = settings.threads;
    const float* keep = L.inverse_diagonal.data();
    double *x = u_.data(), *r = rd_.data(), *d = dd_.data(), *q = qd_.data();
    auto A = [&](const double* in, double* out) {
      product_fine<double, D, C>(L.box, fine_d_, moduli_d_.data(), in, out, th);
    };
    pad(u, x);
    pad(load, d);
    for_all(n, [&](long i) { x[i] = keep[i] != 0 ? x[i] : 0; });
    A(x, q);
    double load_squared = 0;
    double size = std::sqrt(reduce2(n, load_squared, [&](long b, long e, double& other) {
      double s = 0, t = 0;
#pragma omp simd reduction(+ : s, t)
      for (long i = b; i < e; i++) {
        const double f = keep[i] != 0 ? d[i] : 0, res = keep[i] != 0 ? f - q[i] : 0;
        r[i] = res;
        s += res * res;
        t += f * f;
      }
      other = t;
      return s;
    }));
    const double norm = std::sqrt(load_squared);
    if (norm == 0) {
      std::memset(u, 0, sizeof(double) * C * L.box.nodes());
      return {0, 0};
    }
    // The cycle sees the residual in units of `scale`, to stay within single precision's range.
    const double first = size;
    double scale = size, rz = 0, step = 0;
    for_all(n, [&](long i) { L.r[i] = scale > 0 ? static_cast<float>(r[i] / scale) : 0.f; });
    int it = 0;
    while (size > tolerance * norm && it < max_iterations && std::isfinite(size)) {
      cycle(0);
      const float* z = L.x.data();
      double change = 0;
      const double fresh = scale * reduce2(n, change, [&](long b, long e, double& other) {
                             double s = 0, t = 0;
#pragma omp simd reduction(+ : s, t)
                             for (long i = b; i < e; i++) {
                               s += r[i] * z[i];
                               t += q[i] * z[i];
                             }
                             other = t;
                             return s;
                           });
      // Polak-Ribiere: r_new - r_old = -step q, so z.(r_new - r_old) needs no old residual
      const double beta = it == 0 ? 0 : -step * change * scale / rz;
      rz = fresh;
      if (it == 0)
        for_all(n, [&](long i) { d[i] = scale * z[i]; });
      else
        for_all(n, [&](long i) { d[i] = scale * z[i] + beta * d[i]; });
      A(d, q);
      const double dq = reduce(n, [&](long b, long e) {
        double s = 0;
#pragma omp simd reduction(+ : s)
        for (long i = b; i < e; i++) s += d[i] * q[i];  // d is zero where q is not to count
        return s;
      });
      if (!(dq > 0)) break;
      step = rz / dq;
      const double inverse = 1 / size;
      scale = size;
      float* rf = L.r.data();
      size = std::sqrt(reduce(n, [&](long b, long e) {
        double s = 0;
#pragma omp simd reduction(+ : s)
        for (long i = b; i < e; i++) {
          const double res = keep[i] != 0 ? r[i] - step * q[i] : 0;
          x[i] += step * d[i];
          r[i] = res;
          rf[i] = static_cast<float>(res * inverse);
          s += res * res;
        }
        return s;
      }));
      it++;
    }
    if (size <= first) {
      unpad(x, u);
      return {it, size / norm};
    }
    each_node(L.box, [&](int, const std::array<long, 3>&, long offset, long plain) {
      if (keep[offset] == 0) u[plain] = 0;
    });
    return {it, first / norm};
  }

 private:
  void build_levels(std::array<long, 3> n, std::array<double, 3> h) {
    std::array<int, 3> scale{1, 1, 1};
    for (int l = 0;; l++) {
      level_.emplace_back();
      Level& L = level_.back();
      L.box = Box(D, n);
      L.scale = scale;
      if (l > 0) L.factor = next_;
      L.moduli.resize(L.box.padded_elements() * (l == 0 ? 1 : M));
      double jacobian = 1;  // nodal values to monomials: 1 / N on either side
      for (int a = 0; a < D; a++) {
        L.element.scale[a] = static_cast<float>(2 / h[a]);
        jacobian *= h[a] / 2;
      }
      L.element.first = static_cast<float>(constants_[0] * jacobian / (N * N));
      L.element.second = static_cast<float>(constants_[1] * jacobian / (N * N));
      for (Array<float>* a : {&L.inverse_diagonal, &L.x, &L.r, &L.d, &L.y}) a->resize(L.size());
      // coarsen the axes whose voxels are not already much longer than the shortest
      double shortest = 1e300;
      for (int a = 0; a < D; a++)
        if (n[a] > 1) shortest = std::min(shortest, h[a]);
      bool any = false;
      for (int a = 0; a < D; a++) {
        next_[a] = n[a] > 1 && h[a] < 1.9 * shortest ? 2 : 1;
        any = any || next_[a] == 2;
      }
      if (!any || L.box.nodes() * C <= 300) break;
      for (int a = 0; a < D; a++) {
        n[a] = (n[a] + next_[a] - 1) / next_[a];
        h[a] *= next_[a];
        scale[a] *= next_[a];
      }
    }
  }

  // Held degrees of freedom of every level; where one lies between coarse nodes, a spring.
  void mark_held(const bool* fixed) {
    Level& f = level_[0];
    const Box& g = f.box;
    f.held.assign(f.size(), 0);
    each_node(g, [&](int c, const std::array<long, 3>& at, long offset, long plain) {
      (void)at;
      (void)c;
      f.held[offset] = fixed[plain];
    });
    for (std::size_t l = 1; l < level_.size(); l++) {
      Level& L = level_[l];
      const Level& up = level_[l - 1];
      L.held.assign(L.size(), 0);
      each_node(L.box, [&](int c, const std::array<long, 3>& at, long offset, long) {
        long o = c * up.box.sc;
        for (int a = 0; a < D; a++) {
          const long i = at[a] * L.factor[a];
          if (i > up.box.n[a]) return;
          o += i * stride(up.box, a);
        }
        L.held[offset] = up.held[o];
      });
    }
    each_node(g, [&](int c, const std::array<long, 3>& at, long offset, long) {
      if (!f.held[offset]) return;
      for (std::size_t l = 1; l < level_.size(); l++) {
        Level& L = level_[l];
        Spring<N> s;
        s.fine = offset;
        bool any = false;
        for (int q = 0; q < N; q++) {
          long o = c * L.box.sc;
          double w = 1;
          for (int a = 0; a < D; a++) {
            const long cell = std::min(at[a] / L.scale[a], L.box.n[a] - 1);
            const double x = at[a] / static_cast<double>(L.scale[a]) - cell;
            const int bit = q >> a & 1;
            w *= bit ? x : 1 - x;
            o += (cell + bit) * stride(L.box, a);
          }
          s.node[q] = o;
          s.weight[q] = L.held[o] ? 0.f : static_cast<float>(w);
          any = any || s.weight[q] != 0;
        }
        if (any) L.springs.push_back(s);
      }
    });
    for (Level& L : level_) L.alpha.resize(L.springs.size());
  }

  void assemble(int l) {
    Level& L = level_[l];
    const Level& up = level_[l - 1];
    const Box& g = up.box;
    const float* e = up.moduli.data();
    const bool halved = L.factor[0] == 2 && L.factor[1] == 2 && (D < 3 || L.factor[2] == 2);
    if (l == 1 && halved)
      halve_moduli<D>(g, e, L.box, L.moduli.data(), settings.threads);
    else if (l == 1)
      coarsen_moments<D>(g, L.box, L.factor, L.moduli.data(), settings.threads,
                         [&](long row, long i, float* m) { voxel_moments<D>(e[row * g.nxp + i], m); });
    else
      coarsen_moments<D>(g, L.box, L.factor, L.moduli.data(), settings.threads,
                         [&](long row, long i, float* m) { moments_of(up, row * g.nxp + i, m); });
  }

  static void moments_of(const Level& L, long e, float* m) {
    const float* from = L.moduli.data() + e / kChunk * kChunk * M + e % kChunk;
    for (int t = 0; t < M; t++) m[t] = from[t * kChunk];
  }

  void diagonals() {
    Level& f = level_[0];
    // finest: one number an element, the sum of the moduli around a node times the element's own diagonal
    each_line(f.box, [&](const std::array<long, 3>& at, long plain_line) {
      (void)plain_line;
      const Box& g = f.box;
      const long m = g.n[0] + 1;
      float diag[C];
      for (int c = 0; c < C; c++) diag[c] = static_cast<float>(K0_[c * N * NC + c * N]);
      for (long i = 0; i < m; i++) {
        float s = 0;
        for (int q = 0; q < N / 2; q++) {
          const long j = at[1] - 1 + (q & 1), k = at[2] - (D == 3 ? 1 : 0) + (q >> 1);
          if (j < 0 || j >= g.n[1] || k < 0 || k >= g.n[2]) continue;
          const float* e = f.moduli.data() + (k * g.n[1] + j) * g.nxp;
          if (i > 0) s += e[i - 1];
          if (i < g.n[0]) s += e[i];
        }
        for (int c = 0; c < C; c++) {
          const long o = c * g.sc + offset(g, {i, at[1], at[2]});
          f.inverse_diagonal[o] = s * diag[c];
        }
      }
    });
    for (std::size_t l = 1; l < level_.size(); l++) {
      Level& L = level_[l];
      for (std::size_t s = 0; s < L.springs.size(); s++) L.alpha[s] = f.inverse_diagonal[L.springs[s].fine];
      coarse_diagonal(L);
      for (std::size_t s = 0; s < L.springs.size(); s++)
        for (int q = 0; q < N; q++)
          L.inverse_diagonal[L.springs[s].node[q]] += L.alpha[s] * L.springs[s].weight[q] * L.springs[s].weight[q];
    }
    for (Level& L : level_) {
      float* d = L.inverse_diagonal.data();
      const char* held = L.held.data();
      for_all(L.size(), [&](long i) { d[i] = held[i] || !(d[i] > 1e-30f) ? 0.f : 1.f / d[i]; });
    }
  }

  void coarse_diagonal(Level& L) {
    const Box& g = L.box;
    float* sum = L.inverse_diagonal.data();
    std::memset(sum, 0, sizeof(float) * L.size());
    coloured(g.layers, g.padded_elements() * 8, settings.threads, [&](long k, int) {
      for (long j = 0; j < g.rows; j++)
        for (long i = 0; i < g.n[0]; i++) {
          float m[M], own[C][N] = {};
          moments_of(L, (k * g.rows + j) * g.nxp + i, m);
          L.element.diagonal(m, own);
          for (int c = 0; c < C; c++)
            for (int n = 0; n < N; n++) sum[c * g.sc + g.line(k, j, n >> 1) + i + (n & 1)] += own[c][n];
        }
    });
  }

  // y = A u on a level, springs included; held rows are left to the caller's mask.
  void multiply(const Level& L, const float* u, float* y) {
    const int th = settings.threads;
    if (&L == &level_[0])
      product_fine<float, D, C>(L.box, fine_, L.moduli.data(), u, y, th);
    else
      product_moments<D, C>(L.box, L.element, L.moduli.data(), u, y, th);
    for (std::size_t s = 0; s < L.springs.size(); s++) {
      const Spring<N>& p = L.springs[s];
      float v = 0;
      for (int q = 0; q < N; q++) v += p.weight[q] * u[p.node[q]];
      v *= L.alpha[s];
      for (int q = 0; q < N; q++) y[p.node[q]] += v * p.weight[q];
    }
  }

  // Largest eigenvalue of D^-1 A by a few power iterations from a fixed start: a function of the design alone, so
  // that a resumed run repeats an undisturbed one.
  void estimate_lmax(int l) {
    Level& L = level_[l];
    const long n = L.size();
    float *v = L.d.data(), *y = L.y.data();
    const float* di = L.inverse_diagonal.data();
    for_all(n, [&](long i) {
      std::uint32_t hash =
          static_cast<std::uint32_t>(i) * 0x9E3779B9u;  // multiplied alone it would be a single frequency
      hash = (hash ^ hash >> 16) * 0x85EBCA6Bu;
      hash = (hash ^ hash >> 13) * 0xC2B2AE35u;
      hash ^= hash >> 16;
      v[i] = di[i] != 0 ? static_cast<float>(hash >> 8) / 16777216.f - .5f : 0.f;
    });
    double lam = 1;
    for (int t = 0; t < settings.power; t++) {
      multiply(L, v, y);
      double before = 0;
      const double after = reduce2(n, before, [&](long b, long e, double& other) {
        double s = 0, o = 0;
#pragma omp simd reduction(+ : s, o)
        for (long i = b; i < e; i++) {
          const float w = y[i] * di[i];
          y[i] = w;
          s += static_cast<double>(w) * w;
          o += static_cast<double>(v[i]) * v[i];
        }
        other = o;
        return s;
      });
      if (!(after > 0)) break;
      lam = std::sqrt(after / before);
      const float s = static_cast<float>(1 / std::sqrt(after));
      for_all(n, [&](long i) { v[i] = y[i] * s; });
    }
    L.lmax = static_cast<float>(lam * settings.safety);
  }

  // One cycle for A x = r; r is spoilt unless `again`, when it becomes the new residual.
  void cycle(int l) {
    Level& L = level_[l];
    if (l + 1 == static_cast<int>(level_.size())) {
      solve_coarsest(L);
      return;
    }
    const bool repeat = (settings.repeated >> l & 1) && l + 2 < static_cast<int>(level_.size());
    visit(l, true, repeat);
    if (repeat) visit(l, false, false);
  }

  void visit(int l, bool from_zero, bool keep_residual) {
    Level& L = level_[l];
    Level& next = level_[l + 1];
    smooth(l, from_zero, true);
    restrict_to<C>(L.box, next.box, next.factor, L.r.data(), next.r.data(), next.inverse_diagonal.data(),
                   settings.threads);
    cycle(l + 1);
    prolong_to<C>(L.box, next.box, next.factor, next.x.data(), L.d.data(), L.inverse_diagonal.data(), settings.threads);
    multiply(L, L.d.data(), L.y.data());
    smooth_after_correction(l, keep_residual);
  }

  struct Chebyshev {
    float theta, delta, sigma, rho;
    Chebyshev(float lmax, float ratio) {
      theta = (lmax + lmax / ratio) / 2;
      delta = (lmax - lmax / ratio) / 2;
      sigma = theta / delta;
      rho = 1 / sigma;
    }
    void next(float& a, float& b) {
      const float fresh = 1 / (2 * sigma - rho);
      a = fresh * rho;
      b = 2 * fresh / delta;
      rho = fresh;
    }
  };

  int degree(int l) const { return l == 0 ? settings.degree : settings.coarse_degree; }

  // Chebyshev-Jacobi smoothing of A x = (residual) r; leaves the residual in r when `residual`.
  void smooth(int l, bool from_zero, bool residual) {
    Level& L = level_[l];
    Chebyshev ch(L.lmax, static_cast<float>(settings.ratio));
    float *x = L.x.data(), *r = L.r.data(), *d = L.d.data();
    const float* di = L.inverse_diagonal.data();
    const float first = 1 / ch.theta;
    if (from_zero && degree(l) == 1 && residual) {  // the step is the whole of x: one array less to write
      for_all(L.size(), [&](long i) { x[i] = di[i] * r[i] * first; });
      subtract(L, x);
      return;
    }
    if (from_zero)
      for_all(L.size(), [&](long i) { x[i] = d[i] = di[i] * r[i] * first; });
    else
      for_all(L.size(), [&](long i) {
        d[i] = di[i] * r[i] * first;
        x[i] += d[i];
      });
    sweeps(L, ch, degree(l), residual);
  }

  // The same after y = A d for a coarse correction d, which is taken in on the way.
  void smooth_after_correction(int l, bool residual) {
    Level& L = level_[l];
    Chebyshev ch(L.lmax, static_cast<float>(settings.ratio));
    float *x = L.x.data(), *r = L.r.data(), *d = L.d.data();
    const float *di = L.inverse_diagonal.data(), *y = L.y.data();
    const float first = 1 / ch.theta;
    if (degree(l) == 1 && !residual) {  // nothing comes after
      for_all(L.size(), [&](long i) { x[i] += d[i] + (di[i] != 0 ? di[i] * (r[i] - y[i]) * first : 0.f); });
      return;
    }
    for_all(L.size(), [&](long i) {
      const float s = di[i] != 0 ? r[i] - y[i] : 0.f, e = di[i] * s * first;
      r[i] = s;
      x[i] += d[i] + e;
      d[i] = e;
    });
    sweeps(L, ch, degree(l), residual);
  }

  void sweeps(Level& L, Chebyshev& ch, int degree, bool residual) {
    float *x = L.x.data(), *r = L.r.data(), *d = L.d.data();
    const float *di = L.inverse_diagonal.data(), *y = L.y.data();
    for (int k = 1; k < degree; k++) {
      multiply(L, d, L.y.data());
      float a, b;
      ch.next(a, b);
      if (k + 1 < degree || residual)
        for_all(L.size(), [&](long i) {
          const float s = di[i] != 0 ? r[i] - y[i] : 0.f, e = a * d[i] + b * di[i] * s;
          r[i] = s;
          d[i] = e;
          x[i] += e;
        });
      else  // nothing comes after
        for_all(L.size(), [&](long i) { x[i] += di[i] != 0 ? a * d[i] + b * di[i] * (r[i] - y[i]) : 0.f; });
    }
    if (residual) subtract(L, d);
  }

  // r -= A v
  void subtract(Level& L, const float* v) {
    multiply(L, v, L.y.data());
    float* r = L.r.data();
    const float *di = L.inverse_diagonal.data(), *y = L.y.data();
    for_all(L.size(), [&](long i) { r[i] = di[i] != 0 ? r[i] - y[i] : 0.f; });
  }

  void factor_coarsest() {
    Level& L = level_.back();
    const Box& g = L.box;
    free_.clear();
    std::vector<long> place(L.size(), -1);
    // node by node, the longest axis slowest: the band is as narrow as the grid allows
    std::array<int, 3> axes{0, 1, 2};
    std::sort(axes.begin(), axes.end(), [&](int a, int b) { return g.nodes_along(a) > g.nodes_along(b); });
    std::array<long, 3> at{};
    for (at[axes[0]] = 0; at[axes[0]] < g.nodes_along(axes[0]); at[axes[0]]++)
      for (at[axes[1]] = 0; at[axes[1]] < g.nodes_along(axes[1]); at[axes[1]]++)
        for (at[axes[2]] = 0; at[axes[2]] < g.nodes_along(axes[2]); at[axes[2]]++)
          for (int c = 0; c < C; c++) {
            const long i = c * g.sc + offset(g, at);
            if (L.inverse_diagonal[i] == 0) continue;
            place[i] = static_cast<long>(free_.size());
            free_.push_back(i);
          }
    const long n = static_cast<long>(free_.size());
    long band = 0;
    std::vector<double> a(static_cast<std::size_t>(n) * n, 0.0);
    std::vector<double> element(NC * NC);
    auto add = [&](long p, long q, double value) {
      if (p < 0 || q < p) return;
      a[p * n + q] += value;
      band = std::max(band, q - p);
    };
    for (long k = 0; k < g.layers; k++)
      for (long j = 0; j < g.rows; j++)
        for (long i = 0; i < g.n[0]; i++) {
          long row[NC];
          for (int c = 0; c < C; c++)
            for (int q = 0; q < N; q++) row[c * N + q] = place[c * g.sc + g.line(k, j, q >> 1) + i + (q & 1)];
          element_matrix(L, (k * g.rows + j) * g.nxp + i, element.data());
          for (int p = 0; p < NC; p++)
            for (int q = 0; q < NC; q++) add(row[p], row[q], element[p * NC + q]);
        }
    for (std::size_t s = 0; s < L.springs.size(); s++)
      for (int p = 0; p < N; p++)
        for (int q = 0; q < N; q++) {
          const double value = static_cast<double>(L.alpha[s]) * L.springs[s].weight[p] * L.springs[s].weight[q];
          add(place[L.springs[s].node[p]], place[L.springs[s].node[q]], value);
        }
    cholesky_.factor(a, n, band);
  }

  // Dense matrix of one element of a level, by its product with unit vectors.
  void element_matrix(const Level& L, long e, double* out) const {
    if (&L == &level_[0]) {
      for (int q = 0; q < NC * NC; q++) out[q] = moduli_d_[e] * K0_[q];
      return;
    }
    using V = typename Simd<float>::V;
    float m[M];
    moments_of(L, e, m);
    V moments[M];
    for (int t = 0; t < M; t++) moments[t] = Simd<float>::splat(m[t]);
    for (int first = 0; first < NC; first += Simd<float>::W) {
      V v[C][N] = {}, f[C][N];
      for (int lane = 0; lane < Simd<float>::W && first + lane < NC; lane++)
        v[(first + lane) / N][(first + lane) % N][lane] = 1;
      L.element.apply(v, moments, f);
      for (int lane = 0; lane < Simd<float>::W && first + lane < NC; lane++)
        for (int p = 0; p < NC; p++) out[p * NC + first + lane] = f[p / N][p % N][lane];
    }
  }

  void solve_coarsest(Level& L) {
    small_.resize(free_.size());
    for (std::size_t i = 0; i < free_.size(); i++) small_[i] = L.r[free_[i]];
    if (!small_.empty()) cholesky_.solve(small_.data());
    std::memset(L.x.data(), 0, sizeof(float) * L.size());
    for (std::size_t i = 0; i < free_.size(); i++) L.x[free_[i]] = small_[i];
  }

  static long stride(const Box& g, int axis) { return axis == 0 ? 1 : axis == 1 ? g.sx : g.sy; }

  static long offset(const Box& g, const std::array<long, 3>& at) {
    return at[0] + at[1] * g.sx + (D == 3 ? at[2] * g.sy : 0);
  }

  template <class F>
  void each_line(const Box& g, F body) const {
    const long lines = g.nodes_along(1) * g.nodes_along(2);
    parallel(lines, threads_for(g.padded_elements(), settings.threads),
             [&](long l) { body({0, l % g.nodes_along(1), l / g.nodes_along(1)}, l); });
  }

  template <class F>
  static void each_node(const Box& g, F body) {
    long plain = 0;
    for (int c = 0; c < C; c++)
      for (long k = 0; k < g.nodes_along(2); k++)
        for (long j = 0; j < g.nodes_along(1); j++)
          for (long i = 0; i < g.nodes_along(0); i++, plain++) {
            const std::array<long, 3> at{i, j, k};
            body(c, at, c * g.sc + offset(g, at), plain);
          }
  }

  // Plain [component][z][y][x] to padded rows and back.
  void pad(const double* from, double* to) const {
    const Box& g = level_[0].box;
    copy_rows(g, [&](long o, long plain, long m) {
      std::memcpy(to + o, from + plain, sizeof(double) * m);
      for (long i = m; i < g.sx; i++) to[o + i] = 0;
    });
  }
  void unpad(const double* from, double* to) const {
    copy_rows(level_[0].box,
              [&](long o, long plain, long m) { std::memcpy(to + plain, from + o, sizeof(double) * m); });
  }
  template <class F>
  void copy_rows(const Box& g, F body) const {
    const long per = g.nodes_along(1) * g.nodes_along(2), m = g.nodes_along(0);
    parallel(C * per, threads_for(g.sc * C, settings.threads),
             [&](long l) { body(l / per * g.sc + l % per * g.sx, l * m, m); });
  }

  template <class F>
  void for_all(long n, F body) const {
    blocks(n, settings.threads, [&](long, long b, long e) {
#pragma omp simd
      for (long i = b; i < e; i++) body(i);
    });
  }

  template <class F>
  double reduce(long n, F body) {
    return sum(n, settings.threads, part_, body);
  }
  template <class F>
  double reduce2(long n, double& other, F body) {
    part2_.assign((n + kBlock - 1) / kBlock, 0.0);
    const double s = sum(n, settings.threads, part_, [&](long b, long e) { return body(b, e, part2_[b / kBlock]); });
    other = 0;
    for (double p : part2_) other += p;
    return s;
  }

  std::vector<Level> level_;
  std::array<int, 3> next_{1, 1, 1};
  std::vector<double> K0_;
  FineElement<float, D, C> fine_;
  FineElement<double, D, C> fine_d_;
  std::array<double, 2> constants_{0, 0};
  Array<double> moduli_d_, u_, rd_, dd_, qd_;
  std::vector<double> part_, part2_;
  std::vector<float> small_;
  std::vector<long> free_;
  Cholesky cholesky_;
};

}  // namespace tb
