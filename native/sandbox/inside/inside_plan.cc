#include "inside_plan.h"

#include <cerrno>

#include "byte_reader.h"

namespace scriptd::sandbox {
namespace {

// "SCP" and the version. Another layout gets another number: the addon and the helper may come from
// different installations.
constexpr std::uint32_t kMagic = 0x01504353;
constexpr std::uint32_t kOwnUserNamespace = 1;
constexpr std::uint32_t kRequireLandlock = 2;
constexpr std::uint32_t kOwnNetwork = 4;
constexpr std::uint32_t kKnownFlags = kOwnUserNamespace | kRequireLandlock | kOwnNetwork;

constexpr std::uint32_t kModeMax = 0777;  // no setuid, setgid or sticky bit
constexpr std::uint32_t kResourcesMax = 16;
constexpr std::uint32_t kIdMax = 0xFFFFFFFE;  // (uid_t)-1 means "unchanged" to setresuid
constexpr std::uint32_t kFirstExtraFd = 3;
constexpr std::size_t kStringBytesMin = 5;  // its count and its NUL

Capacity ReadCapacity(ByteReader& reader) {
  const std::uint64_t bytes = reader.U64();
  return {bytes, reader.U64()};
}

/// "a", "a/b": every component names something below.
bool IsInside(const char* name) {
  std::size_t length = 0;
  bool only_dots = true;
  for (const char* next = name;; next++) {
    if (*next != '/' && *next != '\0') {
      only_dots = only_dots && *next == '.';
      length++;
      continue;
    }
    if (length == 0 || (only_dots && length <= 2)) return false;
    if (*next == '\0') return true;
    length = 0;
    only_dots = true;
  }
}

/// "/a", "/a/b": the root itself can't be mounted below itself.
bool IsAbsolute(const char* path) { return path[0] == '/' && IsInside(path + 1); }

long ReadStrings(ByteReader& reader, Pages<const char*>& strings, std::size_t extra) {
  const std::uint32_t count = reader.Count(kStringBytesMin);
  const long result = strings.Allocate(count + extra);
  if (result < 0) return result;
  for (std::uint32_t i = 0; i < count; ++i) strings[i] = reader.CString();
  return 0;
}

long ReadLimits(ByteReader& reader, Pages<Limit>& limits) {
  const std::uint32_t count = reader.Count(20);
  const long result = limits.Allocate(count);
  if (result < 0) return result;
  for (Limit& limit : limits) {
    const std::uint32_t resource = reader.U32();
    if (resource >= kResourcesMax) return -EINVAL;
    limit.resource = static_cast<int>(resource);
    limit.value.soft = reader.U64();
    limit.value.hard = reader.U64();
    if (limit.value.soft > limit.value.hard) return -EINVAL;
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

long ReadFiles(ByteReader& reader, Pages<InputFile>& files) {
  const std::uint32_t count = reader.Count(2 * kStringBytesMin + 4);
  const long result = files.Allocate(count);
  if (result < 0) return result;
  for (InputFile& file : files) {
    file.name = reader.CString();
    file.mode = reader.U32();
    file.content = reader.Bytes();
    if (!IsInside(file.name) || file.mode > kModeMax) return -EINVAL;
  }
  return 0;
}

long ReadArrays(ByteReader& reader, InsidePlan& plan) {
  long result = ReadStrings(reader, plan.argv, 1);
  if (result >= 0) result = ReadStrings(reader, plan.env, 1);
  if (result >= 0) result = ReadStrings(reader, plan.read_only, 0);
  if (result >= 0) result = ReadLimits(reader, plan.limits);
  if (result >= 0) result = ReadProcs(reader, plan.procs);
  if (result >= 0) result = ReadFiles(reader, plan.files);
  return result;
}

}  // namespace

long ParsePlan(const std::uint8_t* bytes, std::size_t size, InsidePlan& plan) {
  ByteReader reader(bytes, size);
  if (reader.U32() != kMagic) return -EINVAL;
  const std::uint32_t flags = reader.U32();
  if ((flags & ~kKnownFlags) != 0) return -EINVAL;
  plan.own_user_namespace = (flags & kOwnUserNamespace) != 0;
  plan.require_landlock = (flags & kRequireLandlock) != 0;
  plan.own_network = (flags & kOwnNetwork) != 0;
  plan.uid = reader.U32();
  plan.gid = reader.U32();
  if (plan.uid > kIdMax || plan.gid > kIdMax) return -EINVAL;
  plan.work = ReadCapacity(reader);
  plan.tmp = ReadCapacity(reader);
  plan.shm = ReadCapacity(reader);
  plan.file = reader.CString();
  const long result = ReadArrays(reader, plan);
  if (result < 0) return result;
  if (reader.failed() || reader.left() != 0 || plan.argv.size() < 2) return -EINVAL;
  if (!IsAbsolute(plan.file)) return -EINVAL;
  for (const char* path : plan.read_only) {
    if (!IsAbsolute(path)) return -EINVAL;
  }
  return 0;
}

}  // namespace scriptd::sandbox
