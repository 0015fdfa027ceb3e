#pragma once

#include <sys/epoll.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "epoll.h"
#include "handle_table.h"

namespace scriptd {

/// One event of a batch, as JavaScript reads it (an Int32Array).
struct EventRow {
  uint32_t slot;
  uint32_t generation;
  /// EPOLLIN | EPOLLOUT | ...
  uint32_t events;
  /// What was read: bytes, 0 for the end, -errno, or kNotRead. A timer: 1 when it has expired.
  int32_t result;
  /// Where those bytes begin in the read buffer.
  uint32_t offset;
};
constexpr int32_t kNotRead = INT32_MIN;

/// One write of a flush: `length` bytes at `offset` of the write buffer go to one handle.
struct WriteRow {
  uint32_t slot;
  uint32_t generation;
  uint32_t offset;
  uint32_t length;
  /// Filled in by the flush: bytes written or -errno.
  int32_t result;
};

struct PollerSizes {
  uint32_t events_max;
  uint32_t read_buffer_bytes;
  uint32_t write_buffer_bytes;
};

struct PollerCounters {
  uint64_t wake_ups = 0;
  uint64_t events = 0;
  uint64_t stale_events = 0;
  uint64_t read_calls = 0;
  uint64_t read_bytes = 0;
  uint64_t write_calls = 0;
  uint64_t written_bytes = 0;
};

/// Memory that JavaScript sees too. Whoever lets go last frees it.
template <typename T>
using Shared = std::shared_ptr<std::vector<T>>;

/// Owns an epoll set and every descriptor in it. Takes the ready events a batch at a time and reads
/// the readable streams itself, all into one buffer. Knows nothing of JavaScript; one thread.
class Poller {
 public:
  /// @throws SystemError
  explicit Poller(const PollerSizes& sizes);

  /// Adds the descriptor to the set. @throws SystemError EPERM: epoll can't watch such a file
  Token Add(Handle handle);
  /// Takes it out of the set, closes it, then removes a listener's file.
  void Remove(Token token);
  /// nullptr when that handle is gone. Valid until the next Add or Remove.
  Handle* Find(Token token) { return handles_.Find(token); }
  /// What the handle waits for; a muted one comes back into the set. 0 or -errno.
  int SetInterest(Token token, uint32_t interest);
  /// The next connection of a listener: `token` is its handle. 0 or -errno.
  int Accept(Token listener, uint32_t interest, Token& token);
  /// One read into memory of the caller: bytes, 0 for the end or -errno.
  ssize_t Read(Token token, std::span<std::byte> into);
  /// One gathered write: bytes or -errno.
  ssize_t Write(Token token, std::span<iovec> chunks);

  /// Fills the event rows with what is ready now and returns their number, at most events_max.
  /// Stops early when the read buffer is full; the rest comes first next time.
  uint32_t Collect();
  /// Performs the first `count` write rows, one system call each.
  void Flush(uint32_t count);

  [[nodiscard]] int fd() const { return epoll_.fd(); }
  [[nodiscard]] size_t open() const { return handles_.open(); }
  [[nodiscard]] const PollerCounters& counters() const { return counters_; }

  [[nodiscard]] const Shared<EventRow>& event_rows() const { return event_rows_; }
  [[nodiscard]] const Shared<std::byte>& read_buffer() const { return read_buffer_; }
  [[nodiscard]] const Shared<WriteRow>& write_rows() const { return write_rows_; }
  [[nodiscard]] const Shared<std::byte>& write_buffer() const { return write_buffer_; }

 private:
  /// `events` were reported with it.
  ssize_t Read(Token token, const Handle& handle, uint32_t events, std::span<std::byte> into);
  void Mute(Handle& handle);

  Epoll epoll_;
  HandleTable handles_;
  std::vector<epoll_event> ready_;
  size_t ready_count_ = 0;
  size_t ready_next_ = 0;
  Shared<EventRow> event_rows_;
  Shared<std::byte> read_buffer_;
  Shared<WriteRow> write_rows_;
  Shared<std::byte> write_buffer_;
  PollerCounters counters_;
};

}  // namespace scriptd
