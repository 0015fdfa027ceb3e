#include "input_files.h"

#include <fcntl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

#include "directories.h"
#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

long WriteAll(long fd, std::string_view content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const long result = RawSyscall(SYS_write, fd, Address(content.data() + done),
                                   static_cast<long>(content.size() - done));
    if (result < 0) return result;
    done += static_cast<std::size_t>(result);
  }
  return 0;
}

/// A name that is given twice is refused with EEXIST.
long WriteFile(const InputFile& file, const InsidePlan& plan) {
  long result = MakeParents(file.name, plan.uid, plan.gid);
  if (result < 0) return result;
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, Address(file.name),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file.mode);
  if (fd < 0) return fd;
  result = WriteAll(fd, file.content);
  if (result >= 0 && plan.uid != 0) result = RawSyscall(SYS_fchown, fd, plan.uid, plan.gid);
  RawSyscall(SYS_close, fd);
  return result;
}

}  // namespace

Failure WriteInputFiles(const Program& program, const InsidePlan& plan) {
  for (const InputFile& file : program.files) {
    const long result = WriteFile(file, plan);
    if (result < 0) return Outcome("files", result, file.name);
  }
  return {};
}

}  // namespace scriptd::sandbox
