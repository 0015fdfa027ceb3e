#include "inside_plan.h"

#include <cerrno>

#include "byte_reader.h"

namespace scriptd::sandbox {
namespace {

// "SCP" and the version. Another layout gets another number: the addon and the helper may come from
// different installations.
constexpr std::uint32_t kMagic = 0x02504353;
constexpr std::uint32_t kOwnUserNamespace = 1;
constexpr std::uint32_t kRequireLandlock = 2;
constexpr std::uint32_t kOwnNetwork = 4;
constexpr std::uint32_t kWaits = 8;
constexpr std::uint32_t kKnownFlags = kOwnUserNamespace | kRequireLandlock | kOwnNetwork | kWaits;

constexpr std::uint32_t kIdMax = 0xFFFFFFFE;  // (uid_t)-1 means "unchanged" to setresuid
constexpr std::uint32_t kFirstExtraFd = 3;

Capacity ReadCapacity(ByteReader& reader) {
  const std::uint64_t bytes = reader.U64();
  return {bytes, reader.U64()};
}

/// "/a", "/a/b": the root itself can't be mounted below itself.
bool IsAbsolute(const char* path) { return path[0] == '/' && IsInside(path + 1); }

long ReadReadOnly(ByteReader& reader, Pages<ReadOnly>& paths) {
  const std::uint32_t count = reader.Count(2 * kStringBytesMin);
  const long result = paths.Allocate(count);
  if (result < 0) return result;
  for (ReadOnly& path : paths) {
    path.source = reader.CString();
    path.target = reader.CString();
    if (!IsAbsolute(path.source) || !IsAbsolute(path.target)) return -EINVAL;
  }
  return 0;
}

long ReadProcs(ByteReader& reader, Pages<int>& procs) {
  const std::uint32_t count = reader.Count(4);
  const long result = procs.Allocate(count);
  if (result < 0) return result;
  for (int& fd : procs) {
    const std::uint32_t number = reader.U32();
    if (number < kFirstExtraFd || number > INT32_MAX) return -EINVAL;
    fd = static_cast<int>(number);
  }
  return 0;
}

}  // namespace

long ParseReadOnly(const std::uint8_t* bytes, std::size_t size, Pages<ReadOnly>& paths) {
  ByteReader reader(bytes, size);
  const long result = ReadReadOnly(reader, paths);
  if (result < 0) return result;
  return reader.failed() || reader.left() != 0 ? -EINVAL : 0;
}

long ParsePlan(const std::uint8_t* bytes, std::size_t size, InsidePlan& plan) {
  ByteReader reader(bytes, size);
  if (reader.U32() != kMagic) return -EINVAL;
  const std::uint32_t flags = reader.U32();
  if ((flags & ~kKnownFlags) != 0) return -EINVAL;
  plan.own_user_namespace = (flags & kOwnUserNamespace) != 0;
  plan.require_landlock = (flags & kRequireLandlock) != 0;
  plan.own_network = (flags & kOwnNetwork) != 0;
  plan.waits = (flags & kWaits) != 0;
  plan.uid = reader.U32();
  plan.gid = reader.U32();
  if (plan.uid > kIdMax || plan.gid > kIdMax) return -EINVAL;
  plan.work = ReadCapacity(reader);
  plan.tmp = ReadCapacity(reader);
  plan.shm = ReadCapacity(reader);
  plan.file = reader.CString();
  long result = ReadProgram(reader, plan.program);
  if (result >= 0) result = ReadReadOnly(reader, plan.read_only);
  if (result >= 0) result = ReadProcs(reader, plan.procs);
  if (result < 0) return result;
  return reader.failed() || reader.left() != 0 || !IsAbsolute(plan.file) ? -EINVAL : 0;
}

}  // namespace scriptd::sandbox
