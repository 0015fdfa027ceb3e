#pragma once

#include "limit.h"

namespace scriptd::sandbox {

/// Where a script finds its control pipe, if it is given one.
inline constexpr int kControlFd = 3;

// What every program is started with, whatever the process that starts it is like. Each returns 0
// or more, or -errno, and calls nothing of libc (raw_syscall.h).

/// Every signal has its default action.
long DefaultSignals();

/// None is blocked.
long UnblockSignals();

/// Nothing numbered `first` or above is open.
long CloseFrom(int first);

/// The open file is 3 and no other number, and kept across execve. What 3 was is closed.
long PlaceControl(int fd);

/// Sets a limit, or where we may not raise it that far the highest that we may.
long SetLimit(const Limit& limit);

/// RLIMIT_CORE is 1: less than any dump has, and the only value at which the kernel gives none to a
/// program of the host either, where core_pattern is a pipe. See core(5).
long NoCoreDumps();

}  // namespace scriptd::sandbox
