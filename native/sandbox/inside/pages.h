#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstddef>

#include "raw_syscall.h"

namespace scriptd::sandbox {

/// An array of plain values whose size is set once, straight from the kernel: there is no allocator
/// where this is used. Zero at first.
template <typename T>
class Pages {
 public:
  Pages() = default;
  ~Pages() {
    if (data_ != nullptr) RawSyscall(SYS_munmap, Address(data_), Bytes());
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  /// 0 or -ENOMEM. Once only.
  long Allocate(std::size_t size) {
    if (size == 0) return 0;
    size_ = size;
    const long result = RawSyscall(SYS_mmap, 0, Bytes(), PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (result < 0) {
      size_ = 0;
      return result;
    }
    data_ = reinterpret_cast<T*>(result);  // NOLINT(performance-no-int-to-ptr): the kernel's
    return 0;
  }

  std::size_t size() const { return size_; }
  T* begin() const { return data_; }
  T* end() const { return data_ + size_; }
  T& operator[](std::size_t index) const { return data_[index]; }

 private:
  long Bytes() const { return static_cast<long>(size_ * sizeof(T)); }

  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace scriptd::sandbox
