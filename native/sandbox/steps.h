#pragma once

#include <sys/syscall.h>

#include <cstddef>

#include "raw_syscall.h"

namespace scriptd::sandbox {

/// One thing that a child does before its program.
template <typename Child>
struct Step {
  const char* syscall;  // for the error that is reported
  long (*run)(Child&);  // a negative errno when it failed
};

/// Takes each step in turn, the last of which executes the program; exits at the first that fails,
/// and leaves its name and errno in the child, whose memory is the parent's.
template <typename Child, std::size_t kCount>
[[noreturn]] SCRIPTD_CHILD_CODE void TakeSteps(const Step<Child> (&steps)[kCount], Child& child) {
  for (const Step<Child>& step : steps) {
    const long result = step.run(child);
    if (result >= 0) continue;
    child.error = static_cast<int>(-result);
    child.failed_syscall = step.syscall;
    break;
  }
  for (;;) RawSyscall(SYS_exit_group, 127);
}

}  // namespace scriptd::sandbox
