#pragma once

#include <cerrno>
#include <system_error>

namespace scriptd {

/// A failed system call. Calls that open something throw it; calls on the hot path (read, write,
/// accept, wait) return -errno instead.
class SystemError : public std::system_error {
 public:
  SystemError(const char* syscall, int error)
      : std::system_error(error, std::generic_category(), syscall), syscall_(syscall) {}
  /// Its name, a string literal.
  [[nodiscard]] const char* syscall() const { return syscall_; }

 private:
  const char* syscall_;
};

[[noreturn]] inline void ThrowErrno(const char* syscall, int error = errno) {
  throw SystemError(syscall, error);
}

/// Passes a system call's result through, or throws when it failed.
inline int Check(int result, const char* syscall) {
  if (result < 0) ThrowErrno(syscall);
  return result;
}

}  // namespace scriptd
