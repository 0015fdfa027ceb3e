#pragma once

#include <cstddef>

namespace scriptd::sandbox {

/// The memory on which a child runs between clone and exec, with an inaccessible page below it: an
/// overflow there faults instead of writing into the worker's heap, which the child shares.
class Stack {
 public:
  /// @throws SystemError ENOMEM
  Stack();
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  /// The lowest usable byte.
  void* base() const noexcept;
  /// Usable bytes above `base()`, a multiple of 16.
  std::size_t bytes() const noexcept;

 private:
  std::size_t guard_bytes_;
  std::byte* mapping_;
};

}  // namespace scriptd::sandbox
