#include "collect_order.h"

#include <cerrno>

#include "byte_reader.h"

namespace scriptd::sandbox {
namespace {

constexpr std::size_t kStringBytesMin = 5;  // its count and its NUL

}  // namespace

long ParseOrder(const std::uint8_t* bytes, std::size_t size, CollectOrder& order) {
  if (size > kOrderBytesMax) return -EINVAL;
  ByteReader reader(bytes, size);
  order.files_max = reader.U32();
  order.bytes_max = reader.U64();
  const std::uint32_t count = reader.Count(kStringBytesMin);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view pattern = reader.CString();
    if (reader.failed() || order.patterns.Add(pattern) < 0) return -EINVAL;
  }
  return reader.failed() || reader.left() != 0 ? -EINVAL : 0;
}

}  // namespace scriptd::sandbox
