#include "epoll.h"

#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <span>

#include "fd.h"
#include "system_error.h"

namespace scriptd {
namespace {

int Control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = token;
  return epoll_ctl(epoll, operation, fd, &event) == 0 ? 0 : -errno;
}

}  // namespace

Epoll::Epoll() : epoll_(Fd(Check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1"))) {}

int Epoll::Add(int fd, uint32_t events, uint64_t token) const {
  return Control(epoll_.get(), EPOLL_CTL_ADD, fd, events, token);
}

int Epoll::Modify(int fd, uint32_t events, uint64_t token) const {
  return Control(epoll_.get(), EPOLL_CTL_MOD, fd, events, token);
}

int Epoll::Remove(int fd) const { return Control(epoll_.get(), EPOLL_CTL_DEL, fd, 0, 0); }

int Epoll::Take(std::span<epoll_event> events) const {
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  return count >= 0 ? count : -errno;
}

}  // namespace scriptd
