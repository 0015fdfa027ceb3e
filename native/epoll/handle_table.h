#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "fd.h"
#include "socket_file.h"

namespace scriptd {

/// Names one open handle: generation << 32 | slot. A slot is used again with another generation,
/// so an event of a handle that is gone matches nothing. Generations take 21 bits: a token is an
/// exact JavaScript number.
using Token = uint64_t;
constexpr uint32_t kGenerationMax = (1U << 21) - 1;

constexpr uint32_t TokenSlot(Token token) { return static_cast<uint32_t>(token); }
constexpr uint32_t TokenGeneration(Token token) { return static_cast<uint32_t>(token >> 32); }

enum class HandleKind : uint8_t { kStream, kListener, kTimer, kProcess };

/// One descriptor in the epoll set, owned.
struct Handle {
  // Declared in this order so that the listener's file goes after its descriptor is closed.
  std::optional<SocketFile> file;
  Fd fd;
  HandleKind kind = HandleKind::kStream;
  bool is_socket = false;
  /// We made it, so it is a byte stream: a read that is short has taken everything.
  bool is_byte_stream = false;
  /// Waits for these; EPOLLHUP and EPOLLERR are always reported.
  uint32_t interest = 0;
  /// Out of the epoll set, because it reports a hang-up that nobody can take now.
  bool muted = false;
};

/// The open handles, found by token in constant time.
class HandleTable {
 public:
  Token Insert(Handle handle);
  /// nullptr when that handle is gone.
  Handle* Find(Token token);
  /// Closes it.
  void Erase(Token token);
  [[nodiscard]] size_t open() const { return entries_.size() - free_.size(); }

 private:
  struct Entry {
    uint32_t generation = 1;
    std::optional<Handle> handle;
  };

  std::vector<Entry> entries_;
  std::vector<uint32_t> free_;
};

}  // namespace scriptd
