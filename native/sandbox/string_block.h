#pragma once

#include <string_view>
#include <vector>

namespace scriptd::sandbox {

/// What execve takes as argv and envp: strings that end in NUL, and an array of pointers to them
/// that ends in a null pointer. Everything is allocated here, before the clone.
class StringBlock {
 public:
  /// Copies `values`.
  /// @throws std::invalid_argument when one contains a NUL byte: the program would silently see
  /// less than it was given
  explicit StringBlock(const std::vector<std::string_view>& values);

  std::size_t size() const noexcept { return pointers_.size() - 1; }
  const char* operator[](std::size_t index) const noexcept { return pointers_[index]; }
  /// Valid as long as this object is, even when it is moved.
  char* const* pointers() const noexcept { return pointers_.data(); }

 private:
  std::vector<char> bytes_;
  std::vector<char*> pointers_;
};

}  // namespace scriptd::sandbox
