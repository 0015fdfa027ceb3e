#pragma once

// What a child may call between clone and exec. It shares its parent's memory, thread-local
// storage and errno, and every lock of libc that another thread holds stays held: so system calls
// are made directly, and the sanitizers' bookkeeping of stacks is kept out.

#define SCRIPTD_CHILD_CODE __attribute__((no_sanitize("address", "undefined")))

namespace scriptd::sandbox {

/// Makes a system call without libc: the result, or -errno. Nothing but registers is touched.
SCRIPTD_CHILD_CODE inline long RawSyscall(long number, long a = 0, long b = 0, long c = 0,
                                          long d = 0, long e = 0, long f = 0) {
#if defined(__x86_64__)
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "scriptd starts processes on x86_64 and aarch64 only"
#endif
}

/// A pointer as an argument of RawSyscall.
SCRIPTD_CHILD_CODE inline long Address(const void* pointer) {
  return reinterpret_cast<long>(pointer);
}

}  // namespace scriptd::sandbox
