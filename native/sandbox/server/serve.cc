#include "serve.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "first.h"
#include "fresh.h"
#include "raw_syscall.h"
#include "received.h"

namespace scriptd::sandbox {
namespace {

constexpr long kSignalSetBytes = 8;  // the kernel's sigset_t, not libc's

/// The new process's pid, 0 in it, or -errno. The exit signal of a sibling is ours. The remaining
/// namespaces it makes itself (inside/enter.cc).
long CloneSibling(const Received& request) {
  clone_args arguments{};
  arguments.flags = CLONE_PARENT | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (request.mounts() < 0) arguments.flags |= CLONE_NEWNS;
  if (request.own_user_namespace()) arguments.flags |= CLONE_NEWUSER;
  const std::uint64_t flags = arguments.flags;
  if (request.cgroup() >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(request.cgroup());
  }
  const long pid = RawSyscall(SYS_clone3, Address(&arguments), sizeof(arguments));
  if (pid != -ENOSYS || request.cgroup() >= 0) return pid;
  // A seccomp filter of a container hides it.
  return RawSyscall(SYS_clone, static_cast<long>(flags));
}

/// The same, with all signals blocked in the new process.
long CloneQuietly(const Received& request) {
  const std::uint64_t all = ~0ULL;
  std::uint64_t before = 0;
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&all), Address(&before), kSignalSetBytes);
  const long pid = CloneSibling(request);
  if (pid != 0) {
    RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&before), 0, kSignalSetBytes);
  }
  return pid;
}

/// False when there is nobody to reply to.
bool Reply(int socket, long result) {
  const ForkReply reply{result > 0 ? static_cast<std::int32_t>(result) : 0,
                        result > 0 ? 0 : static_cast<std::int32_t>(-result)};
  for (;;) {
    if (send(socket, &reply, sizeof(reply), MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

/// Whether a request went wrong, and not the socket.
bool IsOfRequest(long result) {
  return result == -EBADMSG || result == -EMFILE || result == -EINVAL;
}

}  // namespace
}  // namespace scriptd::sandbox

int scriptd_serve(int request_fd) {
  using namespace scriptd::sandbox;
  const HostIds host{geteuid(), getegid()};
  for (;;) {
    Received request;
    long result = request.From(request_fd);
    if (result == -EINTR) continue;
    if (result == 0 || (result < 0 && !IsOfRequest(result))) return -1;
    if (result > 0) result = CloneQuietly(request);
    if (result == 0) {
      LiveAsFirstProcess(request, host);
      return kControlFd;
    }
    if (!Reply(request_fd, result)) return -1;
  }
}
