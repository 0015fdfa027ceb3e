#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// All that the sandbox consists of, in two halves. Both call nothing of libc.

/// The first, by the process that is alone in new pid, mount, ipc and uts namespaces: joins
/// the cgroups, enters its own root. `ruleset` becomes Landlock's, or -1 where the kernel has none
/// and the plan doesn't require it. `network` is a fresh network namespace, or -1.
Failure PrepareInside(const InsidePlan& plan, int network, int& ruleset);

/// The second, by the process that the script runs in, which has the script's ids: limits,
/// Landlock, seccomp. No capability is left.
Failure Confine(const Program& program, int ruleset);

}  // namespace scriptd::sandbox
