#include "launcher.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "child.h"
#include "clone.h"
#include "pipe.h"
#include "system_error.h"

namespace scriptd::sandbox {
namespace {

/// For a child that has ended or is about to.
void WaitFor(int pid) {
  while (waitpid(pid, nullptr, 0) < 0) {
    if (errno != EINTR) throw SystemError("waitpid", errno);
  }
}

}  // namespace

StartedProcess Launcher::Start(const SpawnPlan& plan) {
  Stream in = plan.stdin_source == StdinSource::kPipe ? StreamToChild() : EmptyStream();
  Stream out = StreamFromChild();
  Stream err = StreamFromChild();
  Child child{.plan = &plan,
              .stdin_fd = in.childs.get(),
              .stdout_fd = out.childs.get(),
              .stderr_fd = err.childs.get(),
              .parent_pid = getpid(),
              .failed_syscall = nullptr,
              .error = 0};
  Cloned cloned = CloneSharingMemory(stack_, RunChild, &child);
  if (child.failed_syscall != nullptr) {
    WaitFor(cloned.pid);
    throw SystemError(child.failed_syscall, child.error);
  }
  return {cloned.pid, std::move(cloned.pidfd), std::move(in.ours), std::move(out.ours),
          std::move(err.ours)};
}

}  // namespace scriptd::sandbox
