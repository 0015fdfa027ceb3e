#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// Where the script starts, and finds its input files.
inline constexpr char kWorkDirectory[] = "/work";

/// Gives the calling process, alone in its mount and pid namespaces, a root of its own and leaves
/// it in the work directory: the plan's read-only paths, a minimal /dev, a read-only /proc, and
/// size-capped tmpfs at /work, /tmp and /dev/shm. Nothing of the host's root can be reached
/// afterwards. Steps: mount-namespace, root, read-only, devices, tmpfs, proc, pivot_root.
Failure EnterOwnRoot(const InsidePlan& plan);

}  // namespace scriptd::sandbox
