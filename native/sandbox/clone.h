#pragma once

#include <cstdint>

#include "descriptor.h"
#include "stack.h"

namespace scriptd::sandbox {

/// A child that has executed its program or ended: until then its parent's thread was suspended.
struct Cloned {
  int pid;
  Descriptor pidfd;  // close-on-exec
};

/// What of the child's surroundings isn't its parent's.
struct Surroundings {
  std::uint64_t namespaces = 0;  // CLONE_NEW*
  int cgroup = -1;               // a directory of cgroup v2, CLONE_INTO_CGROUP
};

/// Starts a child that shares our memory and calls `entry(argument)` on `stack`. `entry` must not
/// return: it executes a program or exits. Memory is shared, not copied, so the time it takes does
/// not grow with the worker's heap. All signals are blocked in the child.
///
/// clone3(2) is used, or clone(2) where a seccomp filter hides it and no cgroup is asked for.
/// @throws SystemError EAGAIN, ENOMEM, EMFILE, and for namespaces EPERM, ENOSPC
Cloned CloneSharingMemory(const Stack& stack, void (*entry)(void*), void* argument,
                          const Surroundings& surroundings = {});

}  // namespace scriptd::sandbox
