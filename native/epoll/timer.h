#pragma once

#include <cstdint>

#include "fd.h"

namespace scriptd {

/// timerfd on CLOCK_MONOTONIC, not armed. @throws SystemError
Fd OpenTimer();

/// Arms it to expire once, `nanoseconds` from now (at least 1); replaces an earlier time and
/// forgets an expiry that nobody took. 0 or -errno.
int ArmTimer(int fd, int64_t nanoseconds);

/// 0 or -errno.
int DisarmTimer(int fd);

/// Takes the expiry: 1 when it had expired, else -EAGAIN.
int TakeExpiry(int fd);

}  // namespace scriptd
