// Vectors of the widest kind this module is compiled for, and memory aligned to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace tb {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif

// Rows of elements are padded to a multiple of this many, for either scalar type.
constexpr long kChunk = kBytes / 4;

template <class T>
struct Simd {
  static constexpr int W = kBytes / static_cast<int>(sizeof(T));
  typedef T V __attribute__((vector_size(kBytes)));

  static inline V load(const T* p) {
    V v;
    std::memcpy(&v, p, sizeof(V));
    return v;
  }
  static inline void store(T* p, V v) { std::memcpy(p, &v, sizeof(V)); }
  static inline V splat(T s) { return V{} + s; }
  // (last lane of `before`, all but the last of `now`): values moved one element to the right.
  static inline V shift_in(V before, V now) {
#if defined(__AVX512F__)
    if constexpr (W == 16)
      return __builtin_shufflevector(before, now, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
    else
      return __builtin_shufflevector(before, now, 7, 8, 9, 10, 11, 12, 13, 14);
#elif defined(__AVX2__)
    if constexpr (W == 8)
      return __builtin_shufflevector(before, now, 7, 8, 9, 10, 11, 12, 13, 14);
    else
      return __builtin_shufflevector(before, now, 3, 4, 5, 6);
#else
    if constexpr (W == 4)
      return __builtin_shufflevector(before, now, 3, 4, 5, 6);
    else
      return __builtin_shufflevector(before, now, 1, 2);
#endif
  }
};

// A zeroed array aligned to 64 bytes.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(std::size_t n) { resize(n); }
  void resize(std::size_t n) {
    size_ = n;
    data_.reset(n ? static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64))) : nullptr);
    if (n) std::memset(static_cast<void*>(data_.get()), 0, n * sizeof(T));
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_.get()[i]; }
  const T& operator[](std::size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete(static_cast<void*>(p), std::align_val_t(64)); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace tb
