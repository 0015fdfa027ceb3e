#include "init.h"

#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstddef>
#include <cstdint>

#include "first_process.h"
#include "fresh.h"
#include "raw_syscall.h"
#include "status.h"

namespace scriptd::sandbox {
namespace {

constexpr int kArguments = 6;
constexpr std::size_t kStackBytes = 32768;

struct Script {
  const Sandbox* sandbox;
  Failure failure;  // written by the child, which shares our memory until it executes
};

alignas(16) std::uint8_t script_stack[kStackBytes];

/// A descriptor's number; "-1" is none.
int NumberOf(const char* text) {
  if (*text == '-') return -1;
  int number = 0;
  for (; *text >= '0' && *text <= '9'; text++) number = number * 10 + (*text - '0');
  return number;
}

[[noreturn]] void RunScript(void* argument) {
  Script& script = *static_cast<Script*>(argument);
  const Program& program = script.sandbox->program();
  const char* file = script.sandbox->plan.file;
  script.failure = BecomeScript(*script.sandbox);
  if (!script.failure) {
    script.failure = Outcome("execve",
                             RawSyscall(SYS_execve, Address(file), Address(program.argv.begin()),
                                        Address(program.env.begin())),
                             file);
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

Failure Run(const Channels& channels) {
  if (const Failure failure = DieWithWorker(channels.status)) return failure;
  // Nobody's to look into.
  long result = RawSyscall(SYS_prctl, PR_SET_DUMPABLE, 0);
  if (result >= 0) result = DefaultSignals();
  if (result < 0) return Outcome("process", result);
  Sandbox sandbox{channels};
  if (const Failure failure = ReadPlan(sandbox)) return failure;
  if (const Failure failure = EnterSandbox(sandbox)) return failure;
  Script script{&sandbox, {}};
  const long pid = CloneScript(script);
  if (pid < 0) return Outcome("clone", pid);
  if (script.failure) return script.failure;
  return OutliveScript(sandbox, pid);
}

}  // namespace

int RunInit(int argc, char* const* argv) {
  if (argc != kArguments) return 2;
  const Channels channels{.plan = NumberOf(argv[1]),
                          .status = NumberOf(argv[2]),
                          .control = NumberOf(argv[3]),
                          .ahead = {NumberOf(argv[4]), NumberOf(argv[5])}};
  const Failure failure = Run(channels);
  if (!failure) return 0;
  WriteFailed(channels.status, failure);
  return 1;
}

}  // namespace scriptd::sandbox
