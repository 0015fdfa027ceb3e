#include "timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "fd.h"
#include "system_error.h"

namespace scriptd {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

int Set(int fd, int64_t nanoseconds) {
  itimerspec time{};
  time.it_value.tv_sec = static_cast<time_t>(nanoseconds / kNanosecondsPerSecond);
  time.it_value.tv_nsec = static_cast<int64_t>(nanoseconds % kNanosecondsPerSecond);
  return timerfd_settime(fd, 0, &time, nullptr) == 0 ? 0 : -errno;
}

}  // namespace

Fd OpenTimer() {
  return Fd(Check(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create"));
}

int ArmTimer(int fd, int64_t nanoseconds) {
  return Set(fd, std::max<int64_t>(nanoseconds, 1));  // 0 would disarm
}

int DisarmTimer(int fd) { return Set(fd, 0); }

int TakeExpiry(int fd) {
  uint64_t expiries = 0;
  return read(fd, &expiries, sizeof expiries) == sizeof expiries ? 1 : -EAGAIN;
}

}  // namespace scriptd
