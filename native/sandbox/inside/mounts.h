#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// Where the script starts, and finds its input files.
inline constexpr char kWorkDirectory[] = "/work";

/// Gives the calling process, alone in its pid namespace, a root of its own and leaves it in the
/// work directory: the plan's read-only paths, a minimal /dev, a read-only /proc, and size-capped
/// tmpfs at /work, /tmp and /dev/shm. Nothing of the host's root can be reached afterwards.
///
/// `mounts` is a mount namespace that has all of that but /proc and the tmpfs, of which it takes a
/// copy; -1 when it is alone in its mount namespace, and builds everything there.
/// Steps: mount-namespace, root, read-only, devices, tmpfs, proc, pivot_root.
Failure EnterOwnRoot(const InsidePlan& plan, int mounts);

/// Makes of the mount namespace that the calling thread is alone in one for `EnterOwnRoot`. Its
/// root's file system is read-only: it is shared by all the copies.
Failure BuildTemplate(const Pages<ReadOnly>& paths);

/// False when one of the paths is below what each run has of its own.
bool FitTemplate(const Pages<ReadOnly>& paths);

/// Whether the file is meant that a link at the source leads to, and not the link.
bool FollowsLink(const ReadOnly& path);

}  // namespace scriptd::sandbox
