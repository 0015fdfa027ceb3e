#pragma once

#include <cstddef>
#include <cstdint>

namespace scriptd::sandbox {

/// A short text that is put together without an allocator. What doesn't fit is left out; `Bytes` is
/// chosen so that everything does.
template <std::size_t Bytes>
class Text {
 public:
  Text& operator<<(const char* text) {
    while (*text != '\0') Add(*text++);
    return *this;
  }

  /// In decimal.
  Text& operator<<(std::uint64_t number) {
    char digits[20];
    std::size_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count > 0) Add(digits[--count]);
    return *this;
  }

  const char* c_str() const { return text_; }
  std::size_t size() const { return size_; }

 private:
  void Add(char character) {
    if (size_ + 1 < Bytes) text_[size_++] = character;
  }

  char text_[Bytes] = {};
  std::size_t size_ = 0;
};

}  // namespace scriptd::sandbox
