#include "fresh.h"

#include <dirent.h>
#include <fcntl.h>
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
constexpr std::size_t kDirectoryBytes = 4096;  // on the child's stack

SCRIPTD_CHILD_CODE int DescriptorNumber(const char* name) {
  int number = 0;
  for (; *name >= '0' && *name <= '9'; name++) number = number * 10 + (*name - '0');
  return *name == '\0' ? number : -1;  // "." and ".." are no numbers
}

/// For kernels before 5.9 and the filters of container runtimes that don't know close_range.
SCRIPTD_CHILD_CODE long CloseListedInProc(int first) {
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
      if (fd >= first && fd != directory) RawSyscall(SYS_close, fd);
    }
  }
}

}  // namespace

// CLONE_CLEAR_SIGHAND resets handlers but leaves what is ignored ignored, and that survives
// execve: node ignores SIGPIPE, nohup SIGHUP.
SCRIPTD_CHILD_CODE long DefaultSignals() {
  const std::uint64_t action[4] = {};  // the kernel's struct sigaction: SIG_DFL, no flags, no mask
  for (int signal = 1; signal <= kSignalsMax; ++signal) {
    if (signal == SIGKILL || signal == SIGSTOP) continue;
    const long result = RawSyscall(SYS_rt_sigaction, signal, Address(action), 0, kSignalSetBytes);
    if (result < 0) return result;
  }
  return 0;
}

SCRIPTD_CHILD_CODE long UnblockSignals() {
  const std::uint64_t none = 0;
  return RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&none), 0, kSignalSetBytes);
}

SCRIPTD_CHILD_CODE long CloseFrom(int first) {
  const long result = RawSyscall(SYS_close_range, first, ~0U, 0);
  return result == -ENOSYS || result == -EPERM ? CloseListedInProc(first) : result;
}

// dup3 refuses a descriptor that is in its place already.
SCRIPTD_CHILD_CODE long PlaceControl(int fd) {
  if (fd == kControlFd) return RawSyscall(SYS_fcntl, fd, F_SETFD, 0);
  const long result = RawSyscall(SYS_dup3, fd, kControlFd, 0);
  return result < 0 ? result : RawSyscall(SYS_close, fd);
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

SCRIPTD_CHILD_CODE long NoCoreDumps() { return SetLimit({RLIMIT_CORE, {1, 1}}); }

}  // namespace scriptd::sandbox
