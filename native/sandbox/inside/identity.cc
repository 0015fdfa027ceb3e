#include "identity.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

// The uid 0 means nothing to the kernel any more, neither for execve nor for setuid, and that can't
// be undone. See capabilities(7).
constexpr long kSecureBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                             SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                             SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

/// However many this kernel knows.
long DropBoundingSet() {
  for (int capability = 0;; ++capability) {
    const long result = RawSyscall(SYS_prctl, PR_CAPBSET_DROP, capability);
    if (result == -EINVAL) return 0;
    if (result < 0) return result;
  }
}

long DropGroups(const InsidePlan& plan) {
  return plan.own_user_namespace ? 0 : RawSyscall(SYS_setgroups, 0, 0);
}

// Of a process that is permitted what the caller is not, nobody of the same ids may change the nice
// value, the scheduling policy, the processors or the I/O priority: cap_safe_nice of the kernel.
// Any capability does for that; this one is harmless with an empty bounding set, and is always
// there.
constexpr std::uint32_t kShield = CAP_TO_MASK(CAP_SETPCAP);

/// Permits those of `permitted`, all among the first 32, that there are: a container's root has not
/// all. The shield never takes effect.
long KeepCapabilities(std::uint32_t permitted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (permitted != 0) {
    const long result = RawSyscall(SYS_capget, Address(&header), Address(sets));
    if (result < 0) return result;
    permitted &= sets[0].permitted;
  }
  sets[0] = {permitted & ~kShield, permitted, 0};
  sets[1] = {};
  return RawSyscall(SYS_capset, Address(&header), Address(sets));
}

}  // namespace

long DropCapabilities() { return KeepCapabilities(0); }

long KeepShield() { return KeepCapabilities(kShield); }

Failure SealIdentity() {
  long result = DropBoundingSet();
  if (result >= 0) result = RawSyscall(SYS_prctl, PR_SET_SECUREBITS, kSecureBits);
  return Outcome("identity", result);
}

Failure TakeIdentity(const InsidePlan& plan) {
  // In a user namespace it would allow nothing.
  const std::uint32_t resources = plan.own_user_namespace ? 0 : CAP_TO_MASK(CAP_SYS_RESOURCE);
  long result = DropGroups(plan);
  if (result >= 0) result = RawSyscall(SYS_setresgid, plan.gid, plan.gid, plan.gid);
  if (result >= 0) result = RawSyscall(SYS_setresuid, plan.uid, plan.uid, plan.uid);
  if (result >= 0) result = KeepCapabilities(kShield | resources);  // the ambient set goes with it
  if (result >= 0) result = RawSyscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);
  return Outcome("identity", result);
}

}  // namespace scriptd::sandbox
