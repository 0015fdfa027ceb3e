#include "string_block.h"

#include <stdexcept>

namespace scriptd::sandbox {

StringBlock::StringBlock(const std::vector<std::string_view>& values) {
  std::size_t total = 0;
  for (const std::string_view value : values) {
    if (value.find('\0') != std::string_view::npos) {
      throw std::invalid_argument("a string contains a NUL byte");
    }
    total += value.size() + 1;
  }
  bytes_.reserve(total);  // so that no pointer below moves
  pointers_.reserve(values.size() + 1);
  for (const std::string_view value : values) {
    pointers_.push_back(bytes_.data() + bytes_.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    bytes_.push_back('\0');
  }
  pointers_.push_back(nullptr);
}

}  // namespace scriptd::sandbox
