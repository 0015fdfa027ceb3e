#include "program.h"

#include <cerrno>

namespace scriptd::sandbox {
namespace {

constexpr std::uint32_t kModeMax = 0777;  // no setuid, setgid or sticky bit
constexpr std::uint32_t kResourcesMax = 16;

/// With a null pointer at the end.
long ReadStrings(ByteReader& reader, Pages<const char*>& strings) {
  const std::uint32_t count = reader.Count(kStringBytesMin);
  const long result = strings.Allocate(count + 1);
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

}  // namespace

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

long ReadProgram(ByteReader& reader, Program& program) {
  long result = ReadStrings(reader, program.argv);
  if (result >= 0) result = ReadStrings(reader, program.env);
  if (result >= 0) result = ReadLimits(reader, program.limits);
  if (result >= 0) result = ReadFiles(reader, program.files);
  return result >= 0 && program.argv.size() < 2 ? -EINVAL : result;
}

}  // namespace scriptd::sandbox
