#pragma once

#include <cstddef>
#include <cstdint>

#include "path_pattern.h"

namespace scriptd::sandbox {

/// Which files the worker wants to have when the script has ended.
struct CollectOrder {
  std::uint32_t files_max = 0;
  std::uint64_t bytes_max = 0;  // of all contents together
  PatternSet patterns;
};

/// The longest order that is read, its length not counted.
inline constexpr std::size_t kOrderBytesMax = 73728;

/// Reads an order as encodeCollectOrder of src/worker/collect.ts writes it, without the length that
/// stands before it. 0, or -EINVAL when anything is wrong with the bytes. The patterns point into
/// them.
long ParseOrder(const std::uint8_t* bytes, std::size_t size, CollectOrder& order);

}  // namespace scriptd::sandbox
