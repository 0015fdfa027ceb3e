#include "child.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "basic.h"
#include "fresh.h"
#include "inside/landlock.h"
#include "inside/seccomp.h"
#include "raw_syscall.h"
#include "steps.h"

namespace scriptd::sandbox {
namespace {

constexpr long kFileModeMask = 022;  // the usual one, whatever the worker's is

// Every step returns 0 or more, or -errno.

SCRIPTD_CHILD_CODE long OwnSession(Child&) { return RawSyscall(SYS_setsid); }

/// The kernel tells the child only of a death that comes after prctl, hence the second look. A
/// later change of credentials would undo it.
SCRIPTD_CHILD_CODE long DieWithParent(Child& child) {
  const long result = RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (result < 0) return result;
  return RawSyscall(SYS_getppid) == child.parent_pid ? 0 : -ESRCH;
}

SCRIPTD_CHILD_CODE long NoNewPrivileges(Child&) {
  return RawSyscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);
}

SCRIPTD_CHILD_CODE long StandardStreams(Child& child) {
  const int sources[] = {child.stdin_fd, child.stdout_fd, child.stderr_fd};
  for (int target = 0; target <= STDERR_FILENO; ++target) {
    const long result = RawSyscall(SYS_dup3, sources[target], target, 0);
    if (result < 0) return result;
  }
  return child.control_fd < 0 ? 0 : PlaceControl(child.control_fd);
}

SCRIPTD_CHILD_CODE long NothingElse(Child& child) {
  return CloseFrom(child.control_fd < 0 ? kControlFd : kControlFd + 1);
}

SCRIPTD_CHILD_CODE long Limits(Child& child) {
  for (const Limit& limit : child.plan->limits) {
    const long result = SetLimit(limit);
    if (result < 0) return result;
  }
  return NoCoreDumps();
}

SCRIPTD_CHILD_CODE long FileModeMask(Child&) { return RawSyscall(SYS_umask, kFileModeMask); }

SCRIPTD_CHILD_CODE long WorkDirectory(Child& child) {
  return RawSyscall(SYS_chdir, Address(child.plan->cwd.c_str()));
}

SCRIPTD_CHILD_CODE long Execute(Child& child) {
  const SpawnPlan& plan = *child.plan;
  return RawSyscall(SYS_execve, Address(plan.file.c_str()), Address(plan.argv.pointers()),
                    Address(plan.env.pointers()));
}

SCRIPTD_CHILD_CODE long Cgroups(Child& child) {
  return child.plan->basic ? JoinCgroups(*child.plan->basic) : 0;
}

SCRIPTD_CHILD_CODE long TakeIdentity(Child& child) {
  return child.plan->basic ? TakeIdentityOf(*child.plan->basic) : 0;
}

SCRIPTD_CHILD_CODE long Landlock(Child& child) {
  return child.ruleset < 0 ? 0 : RestrictTo(child.ruleset);
}

SCRIPTD_CHILD_CODE long Seccomp(Child& child) {
  return child.plan->basic ? InstallFilter(child.truncates) : 0;
}

// In this order: signals first, so that nothing of the worker's reacts in the child; then what it
// has, then what it is and may. A change of ids undoes the tie to the parent, so that comes after
// it; a parent that is gone by then is noticed. Landlock would keep some of the others from being
// done, seccomp all.
constexpr Step<Child> kSteps[] = {
    {"rt_sigaction", [](Child&) { return DefaultSignals(); }},
    {"setsid", OwnSession},
    {"cgroup", Cgroups},
    {"dup3", StandardStreams},
    {"umask", FileModeMask},
    {"chdir", WorkDirectory},
    {"prlimit64", Limits},
    {"identity", TakeIdentity},
    {"prctl", DieWithParent},
    {"prctl", NoNewPrivileges},
    {"landlock", Landlock},
    {"close_range", NothingElse},
    {"rt_sigprocmask", [](Child&) { return UnblockSignals(); }},
    {"seccomp", Seccomp},
    {"execve", Execute},
};

}  // namespace

SCRIPTD_CHILD_CODE void RunChild(void* argument) {
  TakeSteps(kSteps, *static_cast<Child*>(argument));
}

}  // namespace scriptd::sandbox
