#pragma once

#include "descriptor.h"
#include "network_pool.h"
#include "plan.h"
#include "root_templates.h"
#include "stack.h"
#include "strict_plan.h"

namespace scriptd::sandbox {

/// A process that runs its program. `stdin_pipe` is empty when its stdin is /dev/null; our ends of
/// the pipes don't block.
struct StartedProcess {
  int pid;
  Descriptor pidfd;
  Descriptor stdin_pipe;
  Descriptor stdout_pipe;
  Descriptor stderr_pipe;
  Descriptor control;  // only if the plan has one
  Descriptor status;   // a socket; only of a strict start, see inside/status.h
};

/// Starts processes, one at a time: it is suspended from the clone until the child's execve. Each
/// thread has its own.
class Launcher {
 public:
  /// The process is killed when the *thread* that called this ends (PR_SET_PDEATHSIG, prctl(2)).
  /// @throws SystemError with the system call that failed, the child's or ours. Nothing is left
  /// then: no process, no zombie, no descriptor.
  StartedProcess Start(const SpawnPlan& plan);

  /// Starts scriptd-init in namespaces of its own; what it goes on to do is told by the status
  /// socket. The rest is as above.
  StartedProcess StartStrict(const StrictPlan& plan);

  /// Asks a fork server for a process as `StartStrict` would start it, by the socket `requests`,
  /// which stays the caller's. What is returned has neither pid nor pidfd: those the server tells.
  /// @throws SystemError EAGAIN when the socket is full, EPIPE when the server is gone
  StartedProcess RequestFork(int requests, const StrictPlan& plan);

 private:
  /// -1 when the process has to make it itself.
  int MountsFor(const StrictPlan& plan);

  NetworkPool networks_;
  RootTemplates roots_;
  Stack stack_;  // reused: its pages are faulted in only once
};

}  // namespace scriptd::sandbox
