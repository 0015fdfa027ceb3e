#pragma once

#include "plan.h"

namespace scriptd::sandbox {

/// What the child reads of its parent's memory, and the one thing that it writes there.
struct Child {
  const SpawnPlan* plan;
  // Numbered above 2, so that putting one in its place overwrites none of the others.
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int control_fd;  // or -1
  int ruleset;     // Landlock's, or -1
  bool truncates;  // files may be cut by their path
  int parent_pid;
  // The step that failed, or null. Read by the parent once the child has ended.
  const char* failed_syscall;
  int error;  // its errno, positive
};

/// The child's whole life before its program: takes each step in turn, and exits at the first that
/// fails. `argument` is a Child. Runs on its parent's memory, so it allocates nothing, takes no
/// lock and calls no function of libc.
void RunChild(void* argument);

}  // namespace scriptd::sandbox
