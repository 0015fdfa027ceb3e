#include "stack.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "system_error.h"

namespace scriptd::sandbox {
namespace {

// The child calls nothing but system calls, a few frames deep; its largest buffer has 4 KiB.
constexpr std::size_t kStackBytes = 65536;

}  // namespace

Stack::Stack() : guard_bytes_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))), mapping_(nullptr) {
  void* mapping = mmap(nullptr, guard_bytes_ + kStackBytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (mapping == MAP_FAILED) throw SystemError("mmap", errno);
  mapping_ = static_cast<std::byte*>(mapping);
  if (mprotect(mapping, guard_bytes_, PROT_NONE) != 0) {
    const int error = errno;
    munmap(mapping, guard_bytes_ + kStackBytes);
    throw SystemError("mprotect", error);
  }
}

Stack::~Stack() { munmap(mapping_, guard_bytes_ + kStackBytes); }

void* Stack::base() const noexcept { return mapping_ + guard_bytes_; }

std::size_t Stack::bytes() const noexcept { return kStackBytes; }

}  // namespace scriptd::sandbox
