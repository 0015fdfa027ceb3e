#include "clone.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/syscall.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <utility>

#include "raw_syscall.h"
#include "system_error.h"

namespace scriptd::sandbox {
namespace {

constexpr std::uint64_t kFlags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;

// The child starts with the stack pointer at the top of the new stack, where there is no frame to
// return into, so what it does next can't be left to the compiler.
SCRIPTD_CHILD_CODE long RawClone3(const clone_args& arguments, void (*entry)(void*),
                                  void* argument) {
#if defined(__x86_64__)
  long result = 0;
  register auto r8 asm("r8") = entry;
  register auto r9 asm("r9") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %%r9, %%rdi\n\t"
      "call *%%r8\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone3), "D"(&arguments), "S"(sizeof(arguments)), "r"(r8), "r"(r9)
      : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = SYS_clone3;
  register long x0 asm("x0") = Address(&arguments);
  register long x1 asm("x1") = sizeof(arguments);
  register auto x2 asm("x2") = entry;
  register auto x3 asm("x3") = argument;
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, 0\n\t"
      "mov x0, x3\n\t"
      "blr x2\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
      : "memory");
  return x0;
#endif
}

// As libc's clone wants it.
struct Entry {
  void (*function)(void*);
  void* argument;
};

SCRIPTD_CHILD_CODE int Enter(void* pointer) {
  const auto* entry = static_cast<const Entry*>(pointer);
  entry->function(entry->argument);
  return 0;
}

/// The pid, or -errno. libc's clone adds nothing to the system call but the jump to the new stack.
long Clone2(const Stack& stack, Entry entry, std::uint64_t namespaces, int* pidfd) {
  void* top = static_cast<std::byte*>(stack.base()) + stack.bytes();
  const int pid = clone(Enter, top, static_cast<int>(kFlags | namespaces) | SIGCHLD, &entry, pidfd);
  return pid < 0 ? -errno : pid;
}

/// Blocks every signal in this thread while it lives. A handler must not run in the child, on the
/// parent's memory.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Cloned CloneSharingMemory(const Stack& stack, void (*entry)(void*), void* argument,
                          const Surroundings& surroundings) {
  int pidfd = -1;
  clone_args arguments{};
  // CLONE_CLEAR_SIGHAND: should the child fault, it dies instead of running our handler.
  arguments.flags = kFlags | CLONE_CLEAR_SIGHAND | surroundings.namespaces;
  if (surroundings.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(surroundings.cgroup);
  }
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  arguments.stack = reinterpret_cast<std::uint64_t>(stack.base());
  arguments.stack_size = stack.bytes();

  long pid = 0;
  const char* syscall = "clone3";
  {
    const SignalsBlocked blocked;
    pid = RawClone3(arguments, entry, argument);
    if (pid == -ENOSYS && surroundings.cgroup < 0) {
      syscall = "clone";
      pid = Clone2(stack, {entry, argument}, surroundings.namespaces, &pidfd);
    }
  }
  if (pid < 0) throw SystemError(syscall, static_cast<int>(-pid));
  return {static_cast<int>(pid), Descriptor(pidfd)};
}

}  // namespace scriptd::sandbox
