#pragma once

#include <cstdint>
#include <optional>

#include "descriptor.h"

namespace scriptd::sandbox {

/// How a process ended and what it used, itself and the children that it waited for.
struct ExitStatus {
  int exit_code;  // -1 when a signal ended it
  int signal;     // 0 when it exited
  double user_ms;
  double system_ms;
  std::int64_t memory_peak_bytes;
};

/// Sends `signal` to every process of the group that `pid` leads; false when there is none. `pid`
/// must be above 1: 0 would be our own group, and -1 everything that we may signal.
/// @throws SystemError EPERM, EINVAL; std::invalid_argument
bool SignalGroup(int pid, int signal);

/// Takes the status of the child `pid` and frees its number; nothing while it runs.
/// @throws SystemError ECHILD; std::invalid_argument
std::optional<ExitStatus> Reap(int pid);

/// A pidfd of a child that was not reaped yet, close-on-exec. See pidfd_open(2).
/// @throws SystemError ESRCH, EMFILE; std::invalid_argument when no child can have that pid
Descriptor OpenProcess(int pid);

}  // namespace scriptd::sandbox
