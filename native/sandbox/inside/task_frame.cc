#include "task_frame.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

constexpr std::uint32_t kMagic = 0x314b5453;  // "STK1"
constexpr std::uint32_t kInspect = 1;

constexpr long kFirstBytes = 65536;    // what a pipe holds
constexpr long kBytesMax = 64L << 20;  // four times the largest frame of the wire

}  // namespace

long ParseFrame(const std::uint8_t* bytes, std::size_t size, TaskFrame& frame) {
  ByteReader reader(bytes, size);
  if (reader.U32() != kMagic) return -EINVAL;
  const std::uint32_t flags = reader.U32();
  if ((flags & ~kInspect) != 0) return -EINVAL;
  frame.inspect = (flags & kInspect) != 0;
  const long result = ReadProgram(reader, frame.program);
  if (result < 0) return result;
  return reader.failed() || reader.left() != 0 ? -EINVAL : 0;
}

Failure ReceiveFrame(int fd, TaskFrame& frame) {
  long room = kFirstBytes;
  long bytes = RawSyscall(SYS_mmap, 0, room, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  for (long size = 0; bytes >= 0;) {
    const long result = RawSyscall(SYS_read, fd, bytes + size, room - size);
    if (result == 0) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): an address from the kernel
      const auto* begin = reinterpret_cast<const std::uint8_t*>(bytes);
      return Outcome("task", ParseFrame(begin, static_cast<std::size_t>(size), frame));
    }
    if (result < 0 && result != -EINTR) return Outcome("task", result);
    if (result > 0) size += result;
    if (size < room) continue;
    if (room == kBytesMax) return Outcome("task", -EFBIG);
    bytes = RawSyscall(SYS_mremap, bytes, room, room * 2, MREMAP_MAYMOVE);
    room *= 2;
  }
  return Outcome("task", bytes);
}

}  // namespace scriptd::sandbox
