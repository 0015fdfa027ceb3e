#include "first_process.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include "collect.h"
#include "fresh.h"
#include "identity.h"
#include "input_files.h"
#include "raw_syscall.h"
#include "status.h"

namespace scriptd::sandbox {
namespace {

constexpr long kEveryone = -1;

/// The script's wait status, once it has ended. Orphans that end before are reaped on the way.
int AwaitScript(long pid) {
  for (;;) {
    int status = 0;
    const long ended = RawSyscall(SYS_wait4, kEveryone, Address(&status), __WALL, 0);
    if (ended == pid) return status;
  }
}

/// The kernel takes them all or none: a process that is being born gets the signal too.
void EndOthers() {
  RawSyscall(SYS_kill, kEveryone, SIGKILL);
  while (RawSyscall(SYS_wait4, kEveryone, 0, __WALL, 0) != -ECHILD) {
  }
}

/// The script's pipes would stay open as long as we live.
long KeepOnly(int fd) {
  const long result = RawSyscall(SYS_close_range, 0, fd - 1, 0);
  return result < 0 ? result : RawSyscall(SYS_close_range, fd + 1, ~0U, 0);
}

}  // namespace

// Should the worker have died before prctl, the other end of the status socket is closed: a
// process closes its files before it tells its children.
Failure DieWithWorker(int status_fd) {
  const long result = RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (result < 0) return Outcome("parent", result);
  const timespec now{};
  pollfd status{status_fd, 0, 0};
  const long polled = RawSyscall(SYS_ppoll, Address(&status), 1, Address(&now), 0, 0);
  if (polled < 0) return Outcome("parent", polled);
  return (status.revents & (POLLERR | POLLHUP)) == 0 ? Failure{} : Failure{"parent", ESRCH};
}

Failure ReadPlan(Sandbox& sandbox) {
  const int fd = sandbox.channels.plan;
  struct stat file {};
  long result = RawSyscall(SYS_fstat, fd, Address(&file));
  if (result >= 0) {
    result = RawSyscall(SYS_mmap, 0, file.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  }
  if (result < 0) return Outcome("plan", result);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address from the kernel
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(result);
  return Outcome("plan", ParsePlan(bytes, static_cast<std::size_t>(file.st_size), sandbox.plan));
}

Failure EnterSandbox(Sandbox& sandbox) {
  const InsidePlan& plan = sandbox.plan;
  if (const Failure failure = PrepareInside(plan, sandbox.channels.ahead, sandbox.ruleset))
    return failure;
  if (const Failure failure = SealIdentity()) return failure;
  if (plan.waits) {
    if (const Failure failure = ReceiveFrame(sandbox.channels.control, sandbox.frame)) {
      return failure;
    }
  }
  if (const Failure failure = WriteInputFiles(sandbox.program(), plan)) return failure;
  if (const Failure failure = TakeIdentity(plan)) return failure;
  // Not the script's to look into, though it has the same ids.
  const long result = RawSyscall(SYS_prctl, PR_SET_DUMPABLE, 0);
  if (result < 0) return Outcome("process", result);
  return DieWithWorker(sandbox.channels.status);
}

Failure BecomeScript(const Sandbox& sandbox) {
  long result = RawSyscall(SYS_setsid);
  if (result < 0) return Outcome("setsid", result);
  if (const Failure failure = Confine(sandbox.program(), sandbox.ruleset)) return failure;
  const int control = sandbox.plan.waits ? -1 : sandbox.channels.control;
  if (control >= 0) result = PlaceControl(control);
  if (result >= 0) result = CloseFrom(control >= 0 ? kControlFd + 1 : kControlFd);
  return Outcome("close_range", result);
}

Failure OutliveScript(const Sandbox& sandbox, long pid) {
  const int status_fd = sandbox.channels.status;
  long result = KeepOnly(status_fd);
  if (result >= 0) result = KeepShield();
  if (result < 0) return Outcome("process", result);
  WriteEnded(status_fd, AwaitScript(pid));
  EndOthers();
  CollectFiles(status_fd);
  WriteDone(status_fd);
  // The end of it is what the worker waits for: until the mounts are gone takes a while more.
  RawSyscall(SYS_close, status_fd);
  return {};
}

}  // namespace scriptd::sandbox
