// The argv and envp blocks of execve, made from arbitrary bytes.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "string_block.h"

using scriptd::sandbox::StringBlock;

namespace {

/// Each 0xFF ends a string; NUL bytes stay inside.
std::vector<std::string_view> Split(std::string_view input) {
  std::vector<std::string_view> values;
  for (;;) {
    const std::size_t end = input.find('\xff');
    if (end == std::string_view::npos) return values;
    values.push_back(input.substr(0, end));
    input.remove_prefix(end + 1);
  }
}

bool HasNul(const std::vector<std::string_view>& values) {
  for (const std::string_view value : values) {
    if (value.find('\0') != std::string_view::npos) return true;
  }
  return false;
}

/// Copies what execve would read. The vector moves afterwards, the pointers must not.
void Check(const std::vector<std::string_view>& values) {
  StringBlock built(values);
  const StringBlock strings = std::move(built);
  if (strings.size() != values.size()) std::abort();
  char* const* pointer = strings.pointers();
  for (const std::string_view value : values) {
    if (*pointer == nullptr || std::string_view(*pointer) != value) std::abort();
    pointer++;
  }
  if (*pointer != nullptr) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto values = Split({reinterpret_cast<const char*>(data), size});
  try {
    Check(values);
    if (HasNul(values)) std::abort();
  } catch (const std::invalid_argument&) {
    if (!HasNul(values)) std::abort();
  }
  return 0;
}
