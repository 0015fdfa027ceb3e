#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// All that the sandbox consists of, in two halves. Both call nothing of libc.

/// The first, by the process that is alone in new pid, mount, ipc and uts namespaces: joins
/// the cgroups, enters its own root, writes the input files. `ruleset` becomes Landlock's, or -1
/// where the kernel has none and the plan doesn't require it.
Failure PrepareInside(const InsidePlan& plan, int& ruleset);

/// The second, by the process that the script runs in: limits, identity, Landlock, seccomp. Nothing
/// of the worker's is open afterwards but 0, 1 and 2.
Failure Confine(const InsidePlan& plan, int ruleset);

}  // namespace scriptd::sandbox
