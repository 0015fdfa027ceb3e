#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace scriptd::sandbox {

/// One resource limit, see setrlimit(2) for units. The layout of `soft` and `hard` is the one that
/// prlimit64 takes.
struct Limit {
  int resource;  // RLIMIT_*
  struct {
    std::uint64_t soft;
    std::uint64_t hard;
  } value;
};

/// RLIMIT_* for the name it has in limits.conf ("cpu", "fsize", "nofile", "nproc", "as", "stack").
std::optional<int> ResourceByName(std::string_view name);

}  // namespace scriptd::sandbox
