#include "descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "system_error.h"

namespace scriptd::sandbox {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

int Descriptor::Release() noexcept { return std::exchange(fd_, -1); }

void Descriptor::Close() noexcept {
  // Linux frees the number even when close fails, so there is nothing to try again.
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Descriptor AboveStandardStreams(Descriptor descriptor) {
  if (descriptor.get() > STDERR_FILENO) return descriptor;
  Descriptor moved(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!moved) throw SystemError("fcntl", errno);
  return moved;
}

}  // namespace scriptd::sandbox
