#pragma once

namespace scriptd::sandbox {

/// Owns one file descriptor and closes it, unless it was released.
class Descriptor {
 public:
  Descriptor() noexcept = default;
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives the descriptor to the caller; -1 when there is none.
  int Release() noexcept;

 private:
  void Close() noexcept;

  int fd_ = -1;
};

/// The same open file under a number above 2, close-on-exec. When the process has closed its own
/// standard streams the kernel hands out 0, 1 and 2: a child that puts its streams there one by one
/// would overwrite what it still needs, and a stray print of ours would end up in a pipe.
/// @throws SystemError EMFILE
Descriptor AboveStandardStreams(Descriptor descriptor);

}  // namespace scriptd::sandbox
