#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// All that the sandbox consists of, in two halves. Both call nothing of libc.

/// Namespaces that were made ahead, as descriptors; -1 is none.
struct MadeAhead {
  int network;  // fresh
  int mounts;   // see EnterOwnRoot in mounts.h
};

/// The first, by the process that is alone in new pid, ipc and uts namespaces, and in a new mount
/// namespace where none was made ahead: joins the cgroups, enters its own root. `ruleset` becomes
/// Landlock's, or -1 where the kernel has none and the plan doesn't require it.
Failure PrepareInside(const InsidePlan& plan, const MadeAhead& ahead, int& ruleset);

/// The second, by the process that the script runs in, which has the script's ids: limits,
/// Landlock, seccomp. No capability is left.
Failure Confine(const Program& program, int ruleset);

}  // namespace scriptd::sandbox
