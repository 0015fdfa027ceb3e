#pragma once

#include "limit.h"

namespace scriptd::sandbox {

// What every program is started with, whatever the process that starts it is like. Each returns 0
// or more, or -errno, and calls nothing of libc (raw_syscall.h).

/// Every signal has its default action.
long DefaultSignals();

/// None is blocked.
long UnblockSignals();

/// Nothing is open but 0, 1 and 2.
long CloseInherited();

/// Sets a limit, or where we may not raise it that far the highest that we may.
long SetLimit(const Limit& limit);

/// RLIMIT_CORE is 0.
long NoCoreDumps();

}  // namespace scriptd::sandbox
