#include "init.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "enter.h"
#include "fresh.h"
#include "identity.h"
#include "raw_syscall.h"
#include "status.h"

namespace scriptd::sandbox {
namespace {

constexpr int kArguments = 3;
constexpr std::size_t kStackBytes = 32768;

struct Script {
  const InsidePlan* plan;
  int ruleset;
  Failure failure;  // written by the child, which shares our memory until it executes
};

alignas(16) std::uint8_t script_stack[kStackBytes];

int NumberOf(const char* text) {
  int number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (*text - '0');
  return number;
}

/// Should the worker have died before prctl, the other end of the status pipe is closed: a process
/// closes its files before it tells its children.
Failure DieWithWorker(int status_fd) {
  const long result = RawSyscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
  if (result < 0) return Outcome("parent", result);
  const timespec now{};
  pollfd status{status_fd, 0, 0};
  const long polled = RawSyscall(SYS_ppoll, Address(&status), 1, Address(&now), 0, 0);
  if (polled < 0) return Outcome("parent", polled);
  return (status.revents & POLLERR) == 0 ? Failure{} : Failure{"parent", ESRCH};
}

Failure ReadPlan(int fd, InsidePlan& plan) {
  struct stat file {};
  long result = RawSyscall(SYS_fstat, fd, Address(&file));
  if (result >= 0) {
    result = RawSyscall(SYS_mmap, 0, file.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  }
  if (result < 0) return Outcome("plan", result);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address from the kernel
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(result);
  return Outcome("plan", ParsePlan(bytes, static_cast<std::size_t>(file.st_size), plan));
}

[[noreturn]] void RunScript(void* argument) {
  Script& script = *static_cast<Script*>(argument);
  const InsidePlan& plan = *script.plan;
  script.failure = Outcome("setsid", RawSyscall(SYS_setsid));
  if (!script.failure) script.failure = Confine(plan, script.ruleset);
  if (!script.failure) {
    script.failure = Outcome("execve",
                             RawSyscall(SYS_execve, Address(plan.file), Address(plan.argv.begin()),
                                        Address(plan.env.begin())),
                             plan.file);
  }
  for (;;) RawSyscall(SYS_exit_group, 127);
}

/// On a stack of its own, with our memory, and we are suspended until it executes or exits.
long CloneScript(Script& script) {
  void* top = script_stack + kStackBytes;
#if defined(__x86_64__)
  long result = 0;
  register long r10 asm("r10") = 0;
  register auto r8 asm("r8") = 0L;
  register auto r9 asm("r9") = &script;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r9, %%rdi\n\t"
      "call *%[entry]\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone), "D"(CLONE_VM | CLONE_VFORK | SIGCHLD), "S"(top), "d"(0), "r"(r10), "r"(r8),
        "r"(r9), [entry] "b"(RunScript)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = SYS_clone;
  register long x0 asm("x0") = CLONE_VM | CLONE_VFORK | SIGCHLD;
  register auto x1 asm("x1") = top;
  register long x2 asm("x2") = 0;
  register long x3 asm("x3") = 0;
  register long x4 asm("x4") = 0;
  register auto x5 asm("x5") = &script;
  register auto x6 asm("x6") = RunScript;
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, 0\n\t"
      "mov x0, x5\n\t"
      "blr x6\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5), "r"(x6)
      : "memory");
  return x0;
#endif
}

/// The script's wait status, once it has ended. Orphans that end before are reaped on the way.
int AwaitScript(long pid) {
  for (;;) {
    int status = 0;
    const long ended = RawSyscall(SYS_wait4, -1, Address(&status), __WALL, 0);
    if (ended == pid) return status;
  }
}

/// What only the setup needed: the script's pipes would stay open as long as we live, and no
/// capability is kept.
Failure LetGo(int status_fd) {
  const long closed = RawSyscall(SYS_close_range, 0, status_fd - 1, 0);
  if (closed < 0) return Outcome("close_range", closed);
  RawSyscall(SYS_close_range, status_fd + 1, ~0U, 0);
  return Outcome("identity", DropCapabilities());
}

Failure Run(int plan_fd, int status_fd) {
  if (const Failure failure = DieWithWorker(status_fd)) return failure;
  // Not the script's to look into, even where it has the same uid.
  long result = RawSyscall(SYS_prctl, PR_SET_DUMPABLE, 0);
  if (result >= 0) result = DefaultSignals();
  if (result < 0) return Outcome("process", result);
  InsidePlan plan{};
  if (const Failure failure = ReadPlan(plan_fd, plan)) return failure;
  Script script{&plan, -1, {}};
  if (const Failure failure = PrepareInside(plan, script.ruleset)) return failure;
  const long pid = CloneScript(script);
  if (pid < 0) return Outcome("clone", pid);
  if (script.failure) return script.failure;
  if (const Failure failure = LetGo(status_fd)) return failure;
  WriteEnded(status_fd, AwaitScript(pid));
  return {};
}

}  // namespace

int RunInit(int argc, char* const* argv) {
  if (argc != kArguments) return 2;
  const int status_fd = NumberOf(argv[2]);
  const Failure failure = Run(NumberOf(argv[1]), status_fd);
  if (!failure) return 0;
  WriteFailed(status_fd, failure);
  return 1;
}

}  // namespace scriptd::sandbox
