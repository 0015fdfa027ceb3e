#include "strict_child.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

#include "raw_syscall.h"
#include "steps.h"

namespace scriptd::sandbox {
namespace {

// What scriptd-init needs of its user namespace.
constexpr int kInitCapabilities[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_SETGID,
                                     CAP_SETUID, CAP_SETPCAP,      CAP_SYS_ADMIN};

SCRIPTD_CHILD_CODE long StandardStreams(StrictChild& child) {
  const int sources[] = {child.stdin_fd, child.stdout_fd, child.stderr_fd};
  for (int target = 0; target <= STDERR_FILENO; ++target) {
    const long result = RawSyscall(SYS_dup3, sources[target], target, 0);
    if (result < 0) return result;
  }
  return 0;
}

SCRIPTD_CHILD_CODE long KeptDescriptors(StrictChild& child) {
  const long result = RawSyscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (result < 0) return result;
  for (const int fd : *child.kept) {
    const long kept = RawSyscall(SYS_fcntl, fd, F_SETFD, 0);
    if (kept < 0) return kept;
  }
  return 0;
}

SCRIPTD_CHILD_CODE long WriteFile(const char* path, const char* text, std::size_t size) {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, Address(path), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long result = RawSyscall(SYS_write, fd, Address(text), static_cast<long>(size));
  RawSyscall(SYS_close, fd);
  return result;
}

/// Before execve, which takes all capabilities from a uid that has no name in the namespace. See
/// user_namespaces(7).
SCRIPTD_CHILD_CODE long IdentityMaps(StrictChild& child) {
  if (child.uid_map == nullptr) return 0;
  long result = WriteFile("/proc/self/setgroups", "deny", 4);
  if (result < 0) return result;
  result = WriteFile("/proc/self/uid_map", child.uid_map->data(), child.uid_map->size());
  if (result < 0) return result;
  return WriteFile("/proc/self/gid_map", child.gid_map->data(), child.gid_map->size());
}

/// The uid inside isn't 0, so only the ambient set survives execve.
SCRIPTD_CHILD_CODE long AmbientCapabilities(StrictChild& child) {
  if (child.uid_map == nullptr) return 0;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
  long result = RawSyscall(SYS_capget, Address(&header), Address(sets));
  if (result < 0) return result;
  for (auto& set : sets) set.inheritable = set.permitted;
  result = RawSyscall(SYS_capset, Address(&header), Address(sets));
  for (const int capability : kInitCapabilities) {
    if (result < 0) return result;
    result = RawSyscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
  return result;
}

SCRIPTD_CHILD_CODE long Execute(StrictChild& child) {
  char* const none[] = {nullptr};
  return RawSyscall(SYS_execve, Address(child.init), Address(child.argv->pointers()),
                    Address(none));
}

// `dup3` comes after the descriptors that are kept were marked: it gives 0, 1 and 2 without the
// mark.
constexpr Step<StrictChild> kSteps[] = {
    {"setsid", [](StrictChild&) { return RawSyscall(SYS_setsid); }},
    {"uid_map", IdentityMaps},
    {"capset", AmbientCapabilities},
    {"close_range", KeptDescriptors},
    {"dup3", StandardStreams},
    {"execve", Execute},
};

}  // namespace

SCRIPTD_CHILD_CODE void RunStrictChild(void* argument) {
  TakeSteps(kSteps, *static_cast<StrictChild*>(argument));
}

}  // namespace scriptd::sandbox
