#include "process.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

#include "system_error.h"

namespace scriptd::sandbox {
namespace {

void CheckPid(int pid) {
  if (pid <= 1) throw std::invalid_argument("not the pid of a child");
}

double Milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

}  // namespace

bool SignalGroup(int pid, int signal) {
  CheckPid(pid);
  if (kill(-pid, signal) == 0) return true;
  if (errno == ESRCH) return false;
  throw SystemError("kill", errno);
}

Descriptor OpenProcess(int pid) {
  CheckPid(pid);
  // libc's declaration is newer than its oldest version here.
  const long fd = syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) throw SystemError("pidfd_open", errno);
  return AboveStandardStreams(Descriptor(static_cast<int>(fd)));
}

std::optional<ExitStatus> Reap(int pid) {
  CheckPid(pid);
  int status = 0;
  rusage usage{};
  // __WALL: a sibling of a fork server has the exit signal of that.
  const int result = wait4(pid, &status, WNOHANG | __WALL, &usage);
  if (result < 0) throw SystemError("wait4", errno);
  if (result == 0) return std::nullopt;
  return ExitStatus{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                    .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                    .user_ms = Milliseconds(usage.ru_utime),
                    .system_ms = Milliseconds(usage.ru_stime),
                    .memory_peak_bytes = usage.ru_maxrss * 1024};
}

}  // namespace scriptd::sandbox
