// Multigrid-preconditioned conjugate gradients on a box of voxels: float V/W-cycle inside double CG.
//
// Finest grid matrix-free in mirror-symmetric form; first coarse grid from the transformed moduli of its children,
// nothing stored but those; further grids with stored Galerkin element matrices; the coarsest factorised.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "galerkin.hpp"
#include "transfer.hpp"

namespace tb {

struct Settings {
  int threads = 1;
  int degree = 2;         // Chebyshev smoothing on the finest grid
  int coarse_degree = 2;  // and on the coarser ones
  int gamma = 2;          // visits of grids from `w_from` on (2: W-cycle)
  int w_from = 2;
  double ratio = 8;       // smoothing range lmax / ratio .. lmax
  int power = 8;          // power iterations for lmax
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
  virtual void apply_single(int repeats) = 0;
  virtual std::size_t bytes() const = 0;
  virtual int levels() const = 0;
  virtual long node_count() const = 0;
  virtual long element_count() const = 0;
  virtual int components() const = 0;
  Settings settings;
};

template <int D, int C>
class Hierarchy final : public Solver {
  static constexpr int N = 1 << D, NC = N * C;

  enum class Kind { fine, transformed, stored };

  struct Level {
    Kind kind = Kind::fine;
    Box box;
    std::array<int, 3> factor{1, 1, 1};  // children along each axis, relative to the level above (finer)
    std::array<int, 3> scale{1, 1, 1};   // and relative to the finest
    Array<float> inverse_diagonal;       // 0 where held or outside
    Array<float> x, r, d, y;
    Array<float> moduli;    // fine: relative stiffness; transformed: N coefficients an element
    std::vector<float> matrices;
    std::vector<float> child;
    std::vector<char> held;
    std::vector<Spring<N>> springs;
    std::vector<float> alpha;
    float lmax = 1;
    long size() const { return box.sc * C; }
  };

 public:
  Hierarchy(std::array<long, 3> elements, std::array<double, 3> spacing, const double* K0, const double* fine,
            const double* coarse, const bool* fixed, const Settings& s) {
    settings = s;
    K0_.assign(K0, K0 + NC * NC);
    for (int p = 0; p < N; p++)
      for (int c = 0; c < C; c++)
        for (int k = 0; k < C; k++) {
          const double v = fine[(p * C + c) * C + k];
          fine_.block[p][c][k] = static_cast<float>(v);
          fine_d_.block[p][c][k] = v;
        }
    for (int t = 0; t < N; t++)
      for (int p = 0; p < N; p++)
        for (int c = 0; c < C; c++)
          for (int k = 0; k < C; k++)
            coarse_.coef[t][p][c][k] = static_cast<float>(coarse[((t * N + p) * C + c) * C + k]);
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
      b += (L.inverse_diagonal.size() + L.x.size() + L.r.size() + L.d.size() + L.y.size() + L.moduli.size() +
            L.matrices.size() + L.child.size()) * 4 + L.held.size();
    return b;
  }

  void set_stiffness(const double* relative) override {
    Level& f = level_[0];
    const Box& g = f.box;
    const long rows = g.layers * g.rows;
#pragma omp parallel for schedule(static) num_threads(settings.threads) if (worth_threads(g.padded_elements()))
    for (long r = 0; r < rows; r++)
      for (long i = 0; i < g.n[0]; i++) {
        const double e = relative[r * g.n[0] + i];
        moduli_d_[r * g.nxp + i] = e;
        f.moduli[r * g.nxp + i] = static_cast<float>(e);
      }
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

  // The single-precision product alone, on whatever is in the arrays: for benchmarks.
  void apply_single(int repeats) override {
    Level& f = level_[0];
    for (int i = 0; i < repeats; i++) multiply(f, f.x.data(), f.y.data());
  }

  void energy(const double* u, double* w) override {
    using S = Simd<double>;
    const Box& g = level_[0].box;
    pad(u, u_.data());
    const long rows = g.layers * g.rows;
#pragma omp parallel for schedule(static) num_threads(settings.threads) if (worth_threads(g.padded_elements()))
    for (long r = 0; r < rows; r++)
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
  }

  // Flexible (Polak-Ribiere) preconditioned conjugate gradients; u is the start and becomes the solution.
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
    const double norm = std::sqrt(reduce(n, [&](long b, long e) {
      double s = 0;
#pragma omp simd reduction(+ : s)
      for (long i = b; i < e; i++) {
        const double f = keep[i] != 0 ? d[i] : 0;
        r[i] = keep[i] != 0 ? f - q[i] : 0;
        s += f * f;
      }
      return s;
    }));
    if (norm == 0) {
      std::memset(u, 0, sizeof(double) * C * L.box.nodes());
      return {0, 0};
    }
    auto length = [&] {
      return std::sqrt(reduce(n, [&](long b, long e) {
        double s = 0;
#pragma omp simd reduction(+ : s)
        for (long i = b; i < e; i++) s += r[i] * r[i];
        return s;
      }));
    };
    double size = length();
    int it = 0;
    double rz = 0;
    while (size > tolerance * norm && it < max_iterations && std::isfinite(size)) {
      const double inv = 1 / size;
      for_all(n, [&](long i) { L.r[i] = static_cast<float>(r[i] * inv); });
      cycle(0);
      const float* z = L.x.data();
      double beta = 0;
      if (it == 0) {
        rz = reduce(n, [&](long b, long e) {
          double s = 0;
#pragma omp simd reduction(+ : s)
          for (long i = b; i < e; i++) s += r[i] * z[i];
          return s;
        }) * size;
      } else {
        // r_new - r_old = -a q, so z.(r_new - r_old) needs no old residual
        double change = 0;
        const double fresh = reduce2(n, change, [&](long b, long e, double& other) {
          double s = 0, t = 0;
#pragma omp simd reduction(+ : s, t)
          for (long i = b; i < e; i++) {
            s += r[i] * z[i];
            t += q[i] * z[i];
          }
          other = t;
          return s;
        }) * size;
        beta = -last_step_ * change * size / rz;
        rz = fresh;
      }
      const double zs = size;
      for_all(n, [&](long i) { d[i] = beta == 0 ? zs * z[i] : zs * z[i] + beta * d[i]; });
      A(d, q);
      const double dq = reduce(n, [&](long b, long e) {
        double s = 0;
#pragma omp simd reduction(+ : s)
        for (long i = b; i < e; i++) {
          q[i] = keep[i] != 0 ? q[i] : 0;
          s += d[i] * q[i];
        }
        return s;
      });
      if (!(dq > 0)) break;
      const double step = rz / dq;
      last_step_ = step;
      size = std::sqrt(reduce(n, [&](long b, long e) {
        double s = 0;
#pragma omp simd reduction(+ : s)
        for (long i = b; i < e; i++) {
          x[i] += step * d[i];
          r[i] -= step * q[i];
          s += r[i] * r[i];
        }
        return s;
      }));
      it++;
    }
    unpad(x, u);
    return {it, size / norm};
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
      L.kind = l == 0 ? Kind::fine : Kind::stored;
      if (l == 1) {
        bool all = true;
        for (int a = 0; a < D; a++) all = all && next_[a] == 2;
        if (all) L.kind = Kind::transformed;
      }
      const bool above_stored = l > 0 && level_[l - 1].kind == Kind::stored;
      if (L.kind == Kind::stored) {
        L.matrices.resize(static_cast<std::size_t>(n[0]) * n[1] * (D == 3 ? n[2] : 1) * NC * NC);
        if (!above_stored) L.child = child_matrices<D, C>(K0_.data(), scale);
      } else {
        L.moduli.resize(L.box.padded_elements() * (l == 0 ? 1 : N));
      }
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
    const Level& f = level_[0];
    if (L.kind == Kind::transformed) {
      transform_moduli(L);
    } else if (level_[l - 1].kind == Kind::stored) {
      assemble_from_matrices<D, C>(level_[l - 1].box, level_[l - 1].matrices.data(), L.box, L.factor,
                                   L.matrices.data(), settings.threads);
    } else {
      assemble_from_moduli<D, C>(f.box, f.moduli.data(), L.box, L.scale, L.child, L.matrices.data(),
                                 settings.threads);
    }
  }

  void transform_moduli(Level& L) {
    const Box &f = level_[0].box, &g = L.box;
    const float* e = level_[0].moduli.data();
    const long stride_t = g.padded_elements(), rows = g.layers * g.rows;
#pragma omp parallel for schedule(static) num_threads(settings.threads) if (worth_threads(f.padded_elements()))
    for (long r = 0; r < rows; r++) {
      const long layer = r / g.rows, row = r % g.rows;
      const float* line[N / 2];
      for (int q = 0; q < N / 2; q++) {
        const long fl = D == 3 ? 2 * layer + (q >> 1) : 2 * layer + q, fr = D == 3 ? 2 * row + (q & 1) : 0;
        line[q] = fl < f.layers && fr < f.rows ? e + (fl * f.rows + fr) * f.nxp : nullptr;
      }
      for (long i = 0; i < g.n[0]; i++) {
        float v[N];
        for (int q = 0; q < N / 2; q++) {
          v[2 * q] = line[q] ? line[q][2 * i] : 0;
          v[2 * q + 1] = line[q] && 2 * i + 1 < f.n[0] ? line[q][2 * i + 1] : 0;
        }
        hadamard<N>(v);
        for (int t = 0; t < N; t++) L.moduli[t * stride_t + r * g.nxp + i] = v[t];
      }
    }
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
    float own[N][NC];  // transformed level: how coefficient t enters the diagonal
    if (L.kind == Kind::transformed) {
      const std::vector<float> child = child_matrices<D, C>(K0_.data(), {2, 2, 2});
      for (int t = 0; t < N; t++)
        for (int a = 0; a < NC; a++) {
          double s = 0;
          for (int n = 0; n < N; n++) s += (__builtin_popcount(t & n) & 1 ? -1 : 1) * child[(n * NC + a) * NC + a];
          own[t][a] = static_cast<float>(s / N);
        }
    }
    const long per = g.padded_elements();
    each_line(g, [&](const std::array<long, 3>& at, long) {
      for (long i = 0; i <= g.n[0]; i++) {
        float sum[C] = {};
        for (int n = 0; n < N; n++) {  // the node is node n of the element at (i, j, k) - bits of n
          const long ei = i - (n & 1), ej = at[1] - (n >> 1 & 1), ek = D == 3 ? at[2] - (n >> 2 & 1) : 0;
          if (ei < 0 || ei >= g.n[0] || ej < 0 || ej >= g.n[1] || ek < 0 || ek >= g.n[2]) continue;
          if (L.kind == Kind::transformed) {
            const float* m = L.moduli.data() + (ek * g.n[1] + ej) * g.nxp + ei;
            for (int c = 0; c < C; c++)
              for (int t = 0; t < N; t++) sum[c] += m[t * per] * own[t][c * N + n];
          } else {
            const float* m = L.matrices.data() + ((ek * g.n[1] + ej) * g.n[0] + ei) * NC * NC;
            for (int c = 0; c < C; c++) sum[c] += m[(c * N + n) * NC + c * N + n];
          }
        }
        for (int c = 0; c < C; c++) L.inverse_diagonal[c * g.sc + offset(g, {i, at[1], at[2]})] = sum[c];
      }
    });
  }

  // y = A u on a level, springs included; held rows are left to the caller's mask.
  void multiply(const Level& L, const float* u, float* y) {
    const int th = settings.threads;
    if (L.kind == Kind::fine)
      product_fine<float, D, C>(L.box, fine_, L.moduli.data(), u, y, th);
    else if (L.kind == Kind::transformed)
      product_coarse<D, C>(L.box, coarse_, L.moduli.data(), u, y, th);
    else
      product_stored<D, C>(L.box, L.matrices.data(), u, y, th);
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
      const std::uint32_t hash = static_cast<std::uint32_t>(i) * 2654435761u;
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
    L.lmax = static_cast<float>(lam * 1.15);
  }

  // One cycle for A x = r; r is spoilt unless `again`, when it becomes the new residual.
  void cycle(int l) {
    Level& L = level_[l];
    if (l + 1 == static_cast<int>(level_.size())) {
      solve_coarsest(L);
      return;
    }
    const bool repeat = settings.gamma > 1 && l >= settings.w_from && l + 2 < static_cast<int>(level_.size());
    visit(l, true, repeat);
    if (repeat) visit(l, false, false);
  }

  void visit(int l, bool from_zero, bool keep_residual) {
    Level& L = level_[l];
    Level& next = level_[l + 1];
    smooth(l, from_zero, true);
    restrict_to<C>(L.box, next.box, next.factor, L.r.data(), next.r.data(), next.inverse_diagonal.data(), scratch_,
                   settings.threads);
    cycle(l + 1);
    prolong_to<C>(L.box, next.box, next.factor, next.x.data(), L.d.data(), L.inverse_diagonal.data(), scratch_,
                  settings.threads);
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
      for_all(L.size(), [&](long i) {
        const float s = di[i] != 0 ? r[i] - y[i] : 0.f, e = a * d[i] + b * di[i] * s;
        r[i] = s;
        d[i] = e;
        x[i] += e;
      });
    }
    if (residual) {
      multiply(L, d, L.y.data());
      for_all(L.size(), [&](long i) { r[i] = di[i] != 0 ? r[i] - y[i] : 0.f; });
    }
  }

  void factor_coarsest() {
    Level& L = level_.back();
    const Box& g = L.box;
    free_.clear();
    std::vector<long> place(L.size(), -1);
    for (long i = 0; i < L.size(); i++)
      if (L.inverse_diagonal[i] != 0) {
        place[i] = static_cast<long>(free_.size());
        free_.push_back(i);
      }
    const long n = static_cast<long>(free_.size());
    std::vector<double> a(static_cast<std::size_t>(n) * n, 0.0);
    for (long k = 0; k < g.layers; k++)
      for (long j = 0; j < g.rows; j++)
        for (long i = 0; i < g.n[0]; i++) {
          long at[NC];
          for (int c = 0; c < C; c++)
            for (int q = 0; q < N; q++) at[c * N + q] = place[c * g.sc + g.line(k, j, q >> 1) + i + (q & 1)];
          for (int p = 0; p < NC; p++)
            for (int q = 0; q < NC; q++)
              if (at[p] >= 0 && at[q] >= 0 && at[q] >= at[p])
                a[at[p] * n + at[q]] += coarsest_entry(L, (k * g.rows + j), i, p, q);
        }
    for (std::size_t s = 0; s < L.springs.size(); s++)
      for (int p = 0; p < N; p++)
        for (int q = 0; q < N; q++) {
          const long ip = place[L.springs[s].node[p]], iq = place[L.springs[s].node[q]];
          if (ip >= 0 && iq >= 0 && iq >= ip)
            a[ip * n + iq] += static_cast<double>(L.alpha[s]) * L.springs[s].weight[p] * L.springs[s].weight[q];
        }
    cholesky_.factor(a, n);
  }

  double coarsest_entry(const Level& L, long row, long i, int p, int q) const {
    const Box& g = L.box;
    if (L.kind == Kind::stored) return L.matrices[((row * g.n[0] + i) * NC + p) * NC + q];
    if (L.kind == Kind::fine) return moduli_d_[row * g.nxp + i] * K0_[p * NC + q];
    if (transformed_.empty()) {
      const std::vector<float> child = child_matrices<D, C>(K0_.data(), {2, 2, 2});
      transformed_.assign(static_cast<std::size_t>(N) * NC * NC, 0.0);
      for (int t = 0; t < N; t++)
        for (int n = 0; n < N; n++)
          for (int e = 0; e < NC * NC; e++)
            transformed_[t * NC * NC + e] += (__builtin_popcount(t & n) & 1 ? -1 : 1) * child[n * NC * NC + e] / double(N);
    }
    double s = 0;
    for (int t = 0; t < N; t++)
      s += L.moduli[t * g.padded_elements() + row * g.nxp + i] * transformed_[(t * NC + p) * NC + q];
    return s;
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
#pragma omp parallel for schedule(static) num_threads(settings.threads) if (worth_threads(g.padded_elements()))
    for (long l = 0; l < lines; l++) body({0, l % g.nodes_along(1), l / g.nodes_along(1)}, l);
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
    copy_rows(level_[0].box, [&](long o, long plain, long m) { std::memcpy(to + plain, from + o, sizeof(double) * m); });
  }
  template <class F>
  void copy_rows(const Box& g, F body) const {
    const long per = g.nodes_along(1) * g.nodes_along(2), m = g.nodes_along(0);
#pragma omp parallel for schedule(static) num_threads(settings.threads) if (worth_threads(g.sc * C))
    for (long l = 0; l < C * per; l++) body(l / per * g.sc + l % per * g.sx, l * m, m);
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
  CoarseElement<float, D, C> coarse_;
  Array<double> moduli_d_, u_, rd_, dd_, qd_;
  std::vector<double> part_, part2_;
  std::vector<float> scratch_, small_;
  std::vector<long> free_;
  mutable std::vector<double> transformed_;
  Cholesky cholesky_;
  double last_step_ = 0;
};

}  // namespace tb
