#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <span>

#include "fd.h"

namespace scriptd {

/// One epoll set. Events carry the token that the fd was added with, never the
/// fd: a closed fd with a surviving duplicate still reports (epoll(7), Q6).
class Epoll {
 public:
  /// @throws SystemError
  Epoll();

  [[nodiscard]] int fd() const { return epoll_.get(); }

  // Each returns 0 or -errno.
  [[nodiscard]] int Add(int fd, uint32_t events, uint64_t token) const;
  [[nodiscard]] int Modify(int fd, uint32_t events, uint64_t token) const;
  [[nodiscard]] int Remove(int fd) const;

  /// The events that are ready now; never waits (libuv does). Returns their number or -errno.
  [[nodiscard]] int Take(std::span<epoll_event> events) const;

 private:
  Fd epoll_;
};

}  // namespace scriptd
