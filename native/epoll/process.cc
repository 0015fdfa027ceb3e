#include "process.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "system_error.h"

namespace scriptd {

Fd OpenProcess(int pid) {
  // By number: glibc has the wrapper only since 2.36. A pidfd is always close-on-exec.
  return Fd(Check(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)), "pidfd_open"));
}

}  // namespace scriptd
