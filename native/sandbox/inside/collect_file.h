#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collect.h"

namespace scriptd::sandbox {

/// Opens `name`, one component, in `directory` without following a link, waiting for anything, or
/// leaving the mount. The descriptor (close-on-exec) or -errno.
long OpenBeneath(int directory, const char* name, long flags);

/// Writes the records of an order, and keeps to its caps.
class CollectRecords {
 public:
  CollectRecords(const CollectOrder& order, const CollectSink& sink)
      : sink_(sink), files_left_(order.files_max), bytes_left_(order.bytes_max) {}

  /// Of the regular file `name` in `directory`, whose path is `path`.
  void Take(int directory, const char* name, std::string_view path);
  void NotTaken(std::string_view path, long error);
  /// Nothing more can or shall be written.
  void End() { ended_ = true; }
  bool ended() const { return ended_; }
  /// What the sink said when it failed, or 0.
  long error() const { return error_; }

 private:
  // Who has a tree full of links is not told of each.
  static constexpr std::uint32_t kNotTakenMax = 100;
  static constexpr std::size_t kChunkBytes = 65536;

  void TakeOpened(int fd, std::string_view path);
  long CopyContent(int fd, std::uint64_t size);
  void Header(char kind, std::string_view path, std::uint32_t number);
  void Write(const void* bytes, std::size_t size);

  CollectSink sink_;
  std::uint32_t files_left_;
  std::uint64_t bytes_left_;
  std::uint32_t not_taken_ = 0;
  bool ended_ = false;
  long error_ = 0;
  std::uint8_t chunk_[kChunkBytes];
};

}  // namespace scriptd::sandbox
