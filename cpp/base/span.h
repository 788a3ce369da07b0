#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

namespace winnow {

// A view of contiguous values owned by somebody else; std::span for C++17.
template <class T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, size_t size) : data_(data), size_(size) {}
  template <class U, class = std::enable_if_t<std::is_convertible_v<const U (*)[], T (*)[]>>>
  Span(const std::vector<U>& values) : data_(values.data()), size_(values.size()) {}
  template <class U, class = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>>
  Span(std::vector<U>& values) : data_(values.data()), size_(values.size()) {}
  template <class U, class = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>>
  constexpr Span(Span<U> other) : data_(other.data()), size_(other.size()) {}

  constexpr T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  constexpr T& operator[](size_t i) const { return data_[i]; }
  constexpr T& front() const { return data_[0]; }
  constexpr T& back() const { return data_[size_ - 1]; }
  constexpr Span Subspan(size_t from) const { return {data_ + from, size_ - from}; }
  constexpr Span Subspan(size_t from, size_t count) const { return {data_ + from, count}; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace winnow
