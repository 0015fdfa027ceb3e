#include "first.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "first_process.h"
#include "fresh.h"
#include "raw_syscall.h"
#include "status.h"
#include "text.h"

namespace scriptd::sandbox {
namespace {

constexpr char kName[] = "scriptd-init";

[[noreturn]] void Exit(int code) {
  for (;;) RawSyscall(SYS_exit_group, code);
}

long WriteFile(const char* path, const char* text, std::size_t size) {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, Address(path), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long result = RawSyscall(SYS_write, fd, Address(text), static_cast<long>(size));
  RawSyscall(SYS_close, fd);
  return result;
}

/// "INSIDE HOST 1", see user_namespaces(7).
long WriteMap(const char* path, std::uint32_t inside, std::uint32_t host) {
  Text<40> map;
  map << inside << " " << host << " 1";
  return WriteFile(path, map.c_str(), map.size());
}

long IdentityMaps(const InsidePlan& plan, const HostIds& host) {
  if (!plan.own_user_namespace) return 0;
  long result = WriteFile("/proc/self/setgroups", "deny", 4);
  if (result >= 0) result = WriteMap("/proc/self/uid_map", plan.uid, host.uid);
  if (result >= 0) result = WriteMap("/proc/self/gid_map", plan.gid, host.gid);
  return result;
}

/// Has its own streams and none of the server's descriptors.
long TakeDescriptors(const Received& request) {
  for (int target = 0; target <= STDERR_FILENO; ++target) {
    const long result = RawSyscall(SYS_dup3, request.stream(target), target, 0);
    if (result < 0) return result;
  }
  return request.CloseOthers();
}

/// The plan numbers the files as they were in the worker.
long NumberProcs(const InsidePlan& plan, const Received& request) {
  if (plan.procs.size() != request.procs_size()) return -EINVAL;
  for (std::size_t i = 0; i < plan.procs.size(); ++i) plan.procs[i] = request.procs(i);
  return 0;
}

Failure Enter(Sandbox& sandbox, const Received& request, const HostIds& host) {
  if (const Failure failure = DieWithWorker(request.status())) return failure;
  long result = RawSyscall(SYS_setsid);
  if (result >= 0) result = TakeDescriptors(request);
  if (result < 0) return Outcome("process", result);
  if (const Failure failure = ReadPlan(sandbox)) return failure;
  const InsidePlan& plan = sandbox.plan;
  result = NumberProcs(plan, request);
  // Nobody could send a frame to us and not to the script.
  if (plan.waits || plan.own_user_namespace != request.own_user_namespace()) result = -EINVAL;
  if (result < 0) return Outcome("plan", result);
  result = IdentityMaps(plan, host);
  if (result < 0) return Outcome("uid_map", result);
  result = RawSyscall(SYS_prctl, PR_SET_DUMPABLE, 0);
  return result < 0 ? Outcome("process", result) : EnterSandbox(sandbox);
}

/// As the program of a script has it after execve.
Failure BecomeForkedScript(const Sandbox& sandbox) {
  if (const Failure failure = BecomeScript(sandbox)) return failure;
  return Outcome("process", RawSyscall(SYS_prctl, PR_SET_DUMPABLE, 1));
}

[[noreturn]] void Fail(const Sandbox& sandbox, const Failure& failure) {
  WriteFailed(sandbox.channels.status, failure);
  Exit(1);
}

}  // namespace

void LiveAsFirstProcess(Received& request, const HostIds& host) {
  Sandbox sandbox{{.plan = request.plan(),
                   .status = request.status(),
                   .control = request.control(),
                   .ahead = {.network = -1, .mounts = request.mounts()}}};
  if (const Failure failure = Enter(sandbox, request, host)) Fail(sandbox, failure);
  // libc's, which makes its own state right in the child.
  const pid_t pid = fork();
  if (pid == 0) {
    request.Forget();
    if (const Failure failure = BecomeForkedScript(sandbox)) Fail(sandbox, failure);
    return;
  }
  if (pid < 0) Fail(sandbox, Outcome("clone", -errno));
  // All signals stay blocked, so that until here no handler of the server's ran.
  RawSyscall(SYS_prctl, PR_SET_NAME, Address(kName));
  DefaultSignals();
  const Failure failure = OutliveScript(sandbox, pid);
  if (failure) Fail(sandbox, failure);
  Exit(0);
}

}  // namespace scriptd::sandbox
