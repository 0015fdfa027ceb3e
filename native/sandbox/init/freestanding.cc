// What the compiler expects of a libc, and where the program begins: it is linked with none, since
// loading and starting one takes longer than the whole setup.

#include <sys/syscall.h>

#include <cstddef>

#include "init.h"
#include "raw_syscall.h"

extern "C" {

void* memcpy(void* target, const void* source, std::size_t size) {
  auto* to = static_cast<unsigned char*>(target);
  const auto* from = static_cast<const unsigned char*>(source);
  for (std::size_t i = 0; i < size; ++i) to[i] = from[i];
  return target;
}

void* memset(void* target, int value, std::size_t size) {
  auto* to = static_cast<unsigned char*>(target);
  for (std::size_t i = 0; i < size; ++i) to[i] = static_cast<unsigned char>(value);
  return target;
}

std::size_t strlen(const char* text) {
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

/// `stack` is what the kernel left there: argc, argv, a null pointer, and so on.
[[noreturn, gnu::used]] void ScriptdInitStart(long* stack) {
  const int code = scriptd::sandbox::RunInit(static_cast<int>(stack[0]),
                                             reinterpret_cast<char* const*>(stack + 1));
  for (;;) scriptd::sandbox::RawSyscall(SYS_exit_group, code);
}

#if defined(__x86_64__)
asm(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n"
    "  call ScriptdInitStart\n  ud2\n");
#elif defined(__aarch64__)
asm(".globl _start\n_start:\n  mov x29, 0\n  mov x0, sp\n  bl ScriptdInitStart\n  brk 1\n");
#endif

}  // extern "C"
