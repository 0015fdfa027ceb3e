#pragma once

#include <stdexcept>
#include <string>

namespace scriptd::sandbox {

/// A system call that the kernel refused. `syscall()` is its name as in section 2 of the manual,
/// `error()` the errno, positive.
class SystemError : public std::runtime_error {
 public:
  SystemError(const char* syscall, int error)
      : std::runtime_error(std::string(syscall) + " failed with errno " + std::to_string(error)),
        syscall_(syscall),
        error_(error) {}

  const char* syscall() const noexcept { return syscall_; }
  int error() const noexcept { return error_; }

 private:
  const char* syscall_;  // a literal, lives for ever
  int error_;
};

}  // namespace scriptd::sandbox
