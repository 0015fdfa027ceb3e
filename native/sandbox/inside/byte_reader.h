#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scriptd::sandbox {

/// Reads little-endian numbers and counted strings, and never beyond the end: the first read that
/// would, and every one after it, gives zero or an empty string and makes `failed()` true.
class ByteReader {
 public:
  ByteReader(const std::uint8_t* bytes, std::size_t size) : next_(bytes), left_(size) {}

  std::uint32_t U32() { return static_cast<std::uint32_t>(Number(4)); }
  std::uint64_t U64() { return Number(8); }

  /// A count, its bytes, and a NUL that isn't counted: usable as a C string where it lies. The
  /// bytes may contain NUL too, see CString.
  std::string_view Bytes() {
    const std::size_t size = U32();
    if (size >= left_ || next_[size] != 0) {
      Fail();
      return {};
    }
    const auto* begin = reinterpret_cast<const char*>(next_);
    next_ += size + 1;
    left_ -= size + 1;
    return {begin, size};
  }

  /// Bytes without a NUL among them.
  const char* CString() {
    const std::string_view bytes = Bytes();
    for (const char byte : bytes) {
      if (byte == '\0') Fail();
    }
    return failed_ ? "" : bytes.data();
  }

  /// How many items follow, each of at least `item_bytes`: so a count is never beyond what memory
  /// can be had for.
  std::uint32_t Count(std::size_t item_bytes) {
    const std::uint32_t count = U32();
    if (count <= left_ / item_bytes) return count;
    Fail();
    return 0;
  }

  bool failed() const { return failed_; }
  std::size_t left() const { return left_; }

 private:
  std::uint64_t Number(std::size_t size) {
    if (size > left_) {
      Fail();
      return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) value = value << 8 | next_[i];
    next_ += size;
    left_ -= size;
    return value;
  }

  void Fail() {
    failed_ = true;
    left_ = 0;
  }

  const std::uint8_t* next_;
  std::size_t left_;
  bool failed_ = false;
};

}  // namespace scriptd::sandbox
