#include "basic.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>

#include "fresh.h"
#include "inside/identity.h"
#include "inside/landlock.h"
#include "raw_syscall.h"
#include "system_error.h"

namespace scriptd::sandbox {
namespace {

std::vector<const char*> Pointers(const std::vector<std::string>& paths) {
  std::vector<const char*> pointers;
  pointers.reserve(paths.size());
  for (const std::string& path : paths) pointers.push_back(path.c_str());
  return pointers;
}

}  // namespace

Descriptor RulesetFor(const BasicPlan& plan) {
  const long version = LandlockVersion();
  if (version < 0) {
    // EPERM is a container's filter that doesn't know the call.
    if (plan.require_landlock) throw SystemError("landlock", static_cast<int>(-version));
    return {};
  }
  const std::vector<const char*> read_only = Pointers(plan.read_only);
  const std::vector<const char*> writable = Pointers(plan.writable);
  const long ruleset = MakeRulesetOf(read_only, writable);
  if (ruleset < 0) throw SystemError("landlock", static_cast<int>(-ruleset));
  const Descriptor made(static_cast<int>(ruleset));
  // Above what the child puts into place before it uses the ruleset.
  Descriptor above(fcntl(made.get(), F_DUPFD_CLOEXEC, kControlFd + 1));
  if (!above) throw SystemError("fcntl", errno);
  return above;
}

Dumpable::Dumpable() : before_(prctl(PR_GET_DUMPABLE)) {}

Dumpable::~Dumpable() {
  // 2, which a sysctl brings about, can't be set.
  if (before_ == 1) prctl(PR_SET_DUMPABLE, 1);
}

SCRIPTD_CHILD_CODE long JoinCgroups(const BasicPlan& plan) {
  for (const int fd : plan.procs) {
    const long result = RawSyscall(SYS_write, fd, Address("0"), 1);
    if (result < 0) return result;
  }
  return 0;
}

SCRIPTD_CHILD_CODE long TakeIdentityOf(const BasicPlan& plan) {
  // Who may not do this, an ordinary user or a container's root, loses nothing by it: without a
  // capability and with no_new_privs execve gives none, not to root either. See capabilities(7).
  const Failure sealed = SealIdentity();
  if (sealed && sealed.error != EPERM) return -sealed.error;
  if (plan.identity) {
    const auto [uid, gid] = *plan.identity;
    long result = RawSyscall(SYS_setgroups, 0, 0);
    if (result >= 0) result = RawSyscall(SYS_setresgid, gid, gid, gid);
    if (result >= 0) result = RawSyscall(SYS_setresuid, uid, uid, uid);
    if (result < 0) return result;
  }
  return DropCapabilities();
}

}  // namespace scriptd::sandbox
