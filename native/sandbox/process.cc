#include "process.h"

#include <sys/resource.h>
#include <sys/wait.h>

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

std::optional<ExitStatus> Reap(int pid) {
  CheckPid(pid);
  int status = 0;
  rusage usage{};
  const int result = wait4(pid, &status, WNOHANG, &usage);
  if (result < 0) throw SystemError("wait4", errno);
  if (result == 0) return std::nullopt;
  return ExitStatus{.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                    .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                    .user_ms = Milliseconds(usage.ru_utime),
                    .system_ms = Milliseconds(usage.ru_stime),
                    .memory_peak_bytes = usage.ru_maxrss * 1024};
}

}  // namespace scriptd::sandbox
