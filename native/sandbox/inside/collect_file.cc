#include "collect_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

constexpr std::uint64_t kContentBytesMax = UINT32_MAX;

}  // namespace

long OpenBeneath(int directory, const char* name, long flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return RawSyscall(SYS_openat2, directory, Address(name), Address(&how), sizeof(how));
}

void CollectRecords::Write(const void* bytes, std::size_t size) {
  if (ended_ || size == 0) return;
  error_ = sink_.write(sink_.context, bytes, size);
  if (error_ < 0) ended_ = true;
}

void CollectRecords::Header(char kind, std::string_view path, std::uint32_t number) {
  const auto length = static_cast<std::uint32_t>(path.size());
  std::uint8_t header[9] = {static_cast<std::uint8_t>(kind)};
  for (std::size_t i = 0; i < 4; ++i) {
    header[1 + i] = static_cast<std::uint8_t>(length >> 8 * i);
    header[5 + i] = static_cast<std::uint8_t>(number >> 8 * i);
  }
  Write(header, sizeof(header));
  Write(path.data(), path.size());
}

void CollectRecords::NotTaken(std::string_view path, long error) {
  if (not_taken_++ < kNotTakenMax) Header('N', path, static_cast<std::uint32_t>(-error));
}

void CollectRecords::Take(int directory, const char* name, std::string_view path) {
  if (files_left_ == 0) {
    NotTaken(path, -EMFILE);
    End();
    return;
  }
  const long fd = OpenBeneath(directory, name, O_RDONLY);
  if (fd < 0) {
    NotTaken(path, fd);
    return;
  }
  TakeOpened(static_cast<int>(fd), path);
  RawSyscall(SYS_close, fd);
}

void CollectRecords::TakeOpened(int fd, std::string_view path) {
  struct stat file {};
  const long result = RawSyscall(SYS_fstat, fd, Address(&file));
  const auto size = static_cast<std::uint64_t>(file.st_size);
  if (result < 0) {
    NotTaken(path, result);
  } else if (!S_ISREG(file.st_mode)) {  // it has taken the place of what was there a moment ago
    NotTaken(path, -EINVAL);
  } else if (size > bytes_left_ || size > kContentBytesMax) {
    NotTaken(path, -EFBIG);
  } else {
    files_left_--;
    bytes_left_ -= size;
    Header('C', path, static_cast<std::uint32_t>(size));
    const long copied = CopyContent(fd, size);
    // Always said, whatever else was: the file before would count otherwise.
    if (copied < 0) Header('N', path, static_cast<std::uint32_t>(-copied));
  }
}

/// Writes exactly `size` bytes, as announced; zeros for those that are missing. 0, or why they are
/// not what the file holds.
long CollectRecords::CopyContent(int fd, std::uint64_t size) {
  long problem = 0;
  while (size > 0 && !ended_) {
    const std::size_t wanted = std::min<std::uint64_t>(size, kChunkBytes);
    long bytes =
        problem < 0 ? 0 : RawSyscall(SYS_read, fd, Address(chunk_), static_cast<long>(wanted));
    if (bytes <= 0) {
      if (problem == 0) problem = bytes < 0 ? bytes : -EBUSY;
      for (std::size_t i = 0; i < wanted; ++i) chunk_[i] = 0;
      bytes = static_cast<long>(wanted);
    }
    Write(chunk_, static_cast<std::size_t>(bytes));
    size -= static_cast<std::uint64_t>(bytes);
  }
  if (problem == 0 && RawSyscall(SYS_read, fd, Address(chunk_), 1) > 0) problem = -EBUSY;
  return problem;
}

}  // namespace scriptd::sandbox
