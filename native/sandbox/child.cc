#include "child.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

constexpr int kSignalsMax = 64;                // _NSIG of the kernel; libc hides two of them
constexpr long kSignalSetBytes = 8;            // the kernel's sigset_t, not libc's
constexpr int kFirstInheritedFd = 3;           // all but the standard streams are closed
constexpr long kFileModeMask = 022;            // the usual one, whatever the worker's is
constexpr std::size_t kDirectoryBytes = 4096;  // on the child's stack

// Every step returns 0 or more, or -errno.

/// CLONE_CLEAR_SIGHAND resets handlers but leaves what is ignored ignored, and that survives
/// execve: node ignores SIGPIPE, nohup SIGHUP.
SCRIPTD_CHILD_CODE long DefaultSignals(Child&) {
  const std::uint64_t action[4] = {};  // the kernel's struct sigaction: SIG_DFL, no flags, no mask
  for (int signal = 1; signal <= kSignalsMax; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    const long result = RawSyscall(SYS_rt_sigaction, signal, Address(action), 0, kSignalSetBytes);
    if (result < 0) return result;
  }
  return 0;
}

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
  for (int target = 0; target < kFirstInheritedFd; ++target) {
    const long result = RawSyscall(SYS_dup3, sources[target], target, 0);
    if (result < 0) return result;
  }
  return 0;
}

SCRIPTD_CHILD_CODE int DescriptorNumber(const char* name) {
  int number = 0;
  for (; *name >= '0' && *name <= '9'; name++) number = number * 10 + (*name - '0');
  return *name == '\0' ? number : -1;  // "." and ".." are no numbers
}

/// For kernels before 5.9 and the filters of container runtimes that don't know close_range.
SCRIPTD_CHILD_CODE long CloseListedInProc() {
  const long directory = RawSyscall(SYS_openat, AT_FDCWD, Address("/proc/self/fd"),
                                    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return directory;
  alignas(dirent64) char entries[kDirectoryBytes];
  for (;;) {
    const long bytes = RawSyscall(SYS_getdents64, directory, Address(entries), sizeof(entries));
    if (bytes < 0) return bytes;
    if (bytes == 0) return RawSyscall(SYS_close, directory);
    for (long offset = 0; offset < bytes;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + offset);
      offset += entry->d_reclen;  // NOLINT: written by the kernel, which the analyzer can't see
      const int fd = DescriptorNumber(entry->d_name);
      if (fd >= kFirstInheritedFd && fd != directory) RawSyscall(SYS_close, fd);
    }
  }
}

SCRIPTD_CHILD_CODE long CloseInherited(Child&) {
  const long result = RawSyscall(SYS_close_range, kFirstInheritedFd, ~0U, 0);
  return result == -ENOSYS || result == -EPERM ? CloseListedInProc() : result;
}

SCRIPTD_CHILD_CODE long SetLimit(const Limit& limit) {
  const long result = RawSyscall(SYS_prlimit64, 0, limit.resource, Address(&limit.value), 0);
  if (result != -EPERM) return result;
  // Only root may raise a hard limit. What was asked for is an upper bound, and the lower one that
  // the worker already lives under keeps to it.
  Limit lowered = limit;
  decltype(limit.value) current{};
  const long read = RawSyscall(SYS_prlimit64, 0, limit.resource, 0, Address(&current));
  if (read < 0) return read;
  if (lowered.value.hard > current.hard) lowered.value.hard = current.hard;
  if (lowered.value.soft > current.hard) lowered.value.soft = current.hard;
  return RawSyscall(SYS_prlimit64, 0, limit.resource, Address(&lowered.value), 0);
}

SCRIPTD_CHILD_CODE long Limits(Child& child) {
  for (const Limit& limit : child.plan->limits) {
    const long result = SetLimit(limit);
    if (result < 0) return result;
  }
  return SetLimit({RLIMIT_CORE, {0, 0}});
}

SCRIPTD_CHILD_CODE long FileModeMask(Child&) { return RawSyscall(SYS_umask, kFileModeMask); }

SCRIPTD_CHILD_CODE long WorkDirectory(Child& child) {
  return RawSyscall(SYS_chdir, Address(child.plan->cwd.c_str()));
}

SCRIPTD_CHILD_CODE long UnblockSignals(Child&) {
  const std::uint64_t none = 0;
  return RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&none), 0, kSignalSetBytes);
}

SCRIPTD_CHILD_CODE long Execute(Child& child) {
  const SpawnPlan& plan = *child.plan;
  return RawSyscall(SYS_execve, Address(plan.file.c_str()), Address(plan.argv.pointers()),
                    Address(plan.env.pointers()));
}

struct Step {
  const char* syscall;  // for the error that is reported
  long (*run)(Child&);
};

// In this order: signals first, so that nothing of the worker's reacts in the child; then the ties
// to the parent, so that it can't be left behind; then what it has, then what it may.
constexpr Step kSteps[] = {
    {"rt_sigaction", DefaultSignals},
    {"setsid", OwnSession},
    {"prctl", DieWithParent},
    {"dup3", StandardStreams},
    {"close_range", CloseInherited},
    {"umask", FileModeMask},
    {"chdir", WorkDirectory},
    {"prlimit64", Limits},
    {"prctl", NoNewPrivileges},
    {"rt_sigprocmask", UnblockSignals},
    {"execve", Execute},
};

}  // namespace

SCRIPTD_CHILD_CODE void RunChild(void* argument) {
  Child& child = *static_cast<Child*>(argument);
  for (const Step& step : kSteps) {
    const long result = step.run(child);
    if (result >= 0) continue;
    child.error = static_cast<int>(-result);
    child.failed_syscall = step.syscall;
    break;
  }
  for (;;) RawSyscall(SYS_exit_group, 127);
}

}  // namespace scriptd::sandbox
