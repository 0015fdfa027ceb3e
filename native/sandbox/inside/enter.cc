#include "enter.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>

#include "fresh.h"
#include "identity.h"
#include "landlock.h"
#include "mounts.h"
#include "raw_syscall.h"
#include "seccomp.h"

namespace scriptd::sandbox {
namespace {

constexpr char kHostName[] = "scriptd";
constexpr long kFileModeMask = 022;

/// cgroup v1; on v2 the clone did it. Then the namespace, whose root is where this process is now.
Failure JoinCgroups(const InsidePlan& plan) {
  for (const int fd : plan.procs) {
    long result = RawSyscall(SYS_write, fd, Address("0"), 1);
    if (result >= 0) result = RawSyscall(SYS_close, fd);
    if (result < 0) return Outcome("cgroup", result);
  }
  return Outcome("cgroup", RawSyscall(SYS_unshare, CLONE_NEWCGROUP));
}

/// Making one takes longer than all other namespaces together, so where none was made ahead it is
/// made here, where the worker doesn't wait for it.
Failure OwnNetwork(const InsidePlan& plan, int made) {
  if (!plan.own_network) return {};
  if (made < 0) return Outcome("network", RawSyscall(SYS_unshare, CLONE_NEWNET));
  const long result = RawSyscall(SYS_setns, made, CLONE_NEWNET);
  return Outcome("network", result < 0 ? result : RawSyscall(SYS_close, made));
}

/// The first process has the script's uid too and is counted with its processes.
Limit WithFirstProcess(Limit limit) {
  if (limit.resource != RLIMIT_NPROC) return limit;
  for (std::uint64_t* value : {&limit.value.soft, &limit.value.hard}) {
    if (*value != ~0ULL) ++*value;
  }
  return limit;
}

Failure Limits(const Program& program) {
  for (const Limit& limit : program.limits) {
    const long result = SetLimit(WithFirstProcess(limit));
    if (result < 0) return Outcome("limits", result);
  }
  return Outcome("limits", NoCoreDumps());
}

}  // namespace

Failure PrepareInside(const InsidePlan& plan, const MadeAhead& ahead, int& ruleset) {
  RawSyscall(SYS_umask, 0);
  if (const Failure failure = JoinCgroups(plan)) return failure;
  if (const Failure failure = OwnNetwork(plan, ahead.network)) return failure;
  if (const Failure failure = EnterOwnRoot(plan, ahead.mounts)) return failure;
  const long named = RawSyscall(SYS_sethostname, Address(kHostName), sizeof(kHostName) - 1);
  if (named < 0) return Outcome("hostname", named);
  const long made = MakeRuleset();
  ruleset = made < 0 ? -1 : static_cast<int>(made);
  const bool missing = made == -ENOSYS || made == -EOPNOTSUPP;
  return missing && !plan.require_landlock ? Failure{} : Outcome("landlock", made);
}

Failure Confine(const Program& program, int ruleset) {
  RawSyscall(SYS_umask, kFileModeMask);
  if (const Failure failure = Limits(program)) return failure;
  long result = DropCapabilities();
  if (result < 0) return Outcome("identity", result);
  if (ruleset >= 0) result = RestrictTo(ruleset);
  if (result < 0) return Outcome("landlock", result);
  result = UnblockSignals();
  return Outcome("seccomp", result < 0 ? result : InstallFilter(true));
}

}  // namespace scriptd::sandbox
