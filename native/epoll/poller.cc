#include "poller.h"

#include <sys/epoll.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "fd.h"
#include "handle_table.h"
#include "socket.h"
#include "stream.h"
#include "system_error.h"
#include "timer.h"

namespace scriptd {
namespace {

// One stream takes at most this much of a batch's read buffer, so that none crowds out the others.
constexpr size_t kReadBytesMax = size_t{64} << 10;
// With less room than this left, the batch ends: a tiny read costs as much as a large one.
constexpr size_t kReadBytesMin = size_t{4} << 10;

constexpr uint32_t kHangUp = EPOLLHUP | EPOLLERR;

// How a stream may end, with its last bytes unread.
constexpr uint32_t kEnds = kHangUp | EPOLLRDHUP;

/// A byte stream that is only read is reported when bytes come, once: the kernel need not look
/// again at each one that was read. A read that is not full has taken everything (epoll(7), Q9).
/// Writing stays level-triggered: a write may stop before the kernel's buffer is full.
bool IsEdgeTriggered(const Handle& handle) {
  return handle.is_byte_stream && handle.interest == EPOLLIN;
}

/// What the kernel is asked to report. EPOLLRDHUP, since reading the last bytes does not tell that
/// the end is there too.
uint32_t EventsOf(const Handle& handle) {
  return handle.interest | (IsEdgeTriggered(handle) ? uint32_t{EPOLLET} | EPOLLRDHUP : 0);
}

}  // namespace

Poller::Poller(const PollerSizes& sizes)
    : ready_(sizes.events_max),
      event_rows_(std::make_shared<std::vector<EventRow>>(sizes.events_max)),
      read_buffer_(std::make_shared<std::vector<std::byte>>(
          std::max<size_t>(sizes.read_buffer_bytes, kReadBytesMin))),
      write_rows_(std::make_shared<std::vector<WriteRow>>(sizes.events_max)),
      write_buffer_(std::make_shared<std::vector<std::byte>>(sizes.write_buffer_bytes)) {}

Token Poller::Add(Handle handle) {
  const int fd = handle.fd.get();
  const uint32_t events = EventsOf(handle);
  const Token token = handles_.Insert(std::move(handle));
  const int result = epoll_.Add(fd, events, token);
  if (result < 0) {
    handles_.Erase(token);
    ThrowErrno("epoll_ctl", -result);
  }
  return token;
}

void Poller::Remove(Token token) {
  const Handle* const handle = handles_.Find(token);
  if (handle == nullptr) return;
  if (!handle->muted) (void)epoll_.Remove(handle->fd.get());
  handles_.Erase(token);
}

int Poller::SetInterest(Token token, uint32_t interest) {
  Handle* const handle = handles_.Find(token);
  if (handle == nullptr) return -EBADF;
  const int fd = handle->fd.get();
  const uint32_t before = std::exchange(handle->interest, interest);
  const uint32_t events = EventsOf(*handle);
  const int result =
      handle->muted ? epoll_.Add(fd, events, token) : epoll_.Modify(fd, events, token);
  if (result < 0) {
    handle->interest = before;
    return result;
  }
  handle->muted = false;
  return 0;
}

int Poller::Accept(Token listener, uint32_t interest, Token& token) {
  const Handle* const handle = handles_.Find(listener);
  if (handle == nullptr) return -EBADF;
  const int fd = scriptd::Accept(handle->fd.get());
  if (fd < 0) return fd;
  Handle connection;
  connection.fd = Fd(fd);
  connection.is_socket = true;
  connection.is_byte_stream = true;
  connection.interest = interest;
  const uint32_t events = EventsOf(connection);
  token = handles_.Insert(std::move(connection));
  const int result = epoll_.Add(fd, events, token);
  if (result < 0) handles_.Erase(token);
  return result;
}

ssize_t Poller::Read(Token token, std::span<std::byte> into) {
  const Handle* const handle = handles_.Find(token);
  return handle == nullptr ? -EBADF : Read(token, *handle, 0, into);
}

ssize_t Poller::Read(Token token, const Handle& handle, uint32_t events,
                     std::span<std::byte> into) {
  const ssize_t count = ReadStream(handle.fd.get(), handle.is_socket, into);
  const bool full = std::cmp_equal(count, into.size());
  const bool before_end = count > 0 && (events & kEnds) != 0;
  if ((full || before_end) && IsEdgeTriggered(handle)) {
    // Changing the registration makes the kernel look again, and report what is left.
    (void)epoll_.Modify(handle.fd.get(), EventsOf(handle), token);
  }
  ++counters_.read_calls;
  counters_.read_bytes += static_cast<uint64_t>(std::max<ssize_t>(count, 0));
  return count;
}

ssize_t Poller::Write(Token token, std::span<iovec> chunks) {
  const Handle* const handle = handles_.Find(token);
  if (handle == nullptr) return -EBADF;
  const ssize_t count = WriteStreamGathered(handle->fd.get(), handle->is_socket, chunks);
  ++counters_.write_calls;
  counters_.written_bytes += static_cast<uint64_t>(std::max<ssize_t>(count, 0));
  return count;
}

uint32_t Poller::Collect() {
  if (ready_next_ == ready_count_) {
    ready_next_ = 0;
    ready_count_ = static_cast<size_t>(std::max(epoll_.Take(ready_), 0));
    if (ready_count_ > 0) ++counters_.wake_ups;
  }
  const std::span<std::byte> buffer(*read_buffer_);
  size_t used = 0;
  uint32_t rows = 0;
  for (; ready_next_ < ready_count_; ++ready_next_) {
    const Token token = ready_[ready_next_].data.u64;
    const uint32_t events = ready_[ready_next_].events;
    Handle* const handle = handles_.Find(token);
    if (handle == nullptr) {
      ++counters_.stale_events;
      continue;
    }
    EventRow& row = (*event_rows_)[rows];
    row = {.slot = TokenSlot(token),
           .generation = TokenGeneration(token),
           .events = events,
           .result = kNotRead,
           .offset = static_cast<uint32_t>(used)};
    if (handle->kind == HandleKind::kTimer) {
      row.result = TakeExpiry(handle->fd.get());
    } else if (handle->kind == HandleKind::kStream && (handle->interest & EPOLLIN) != 0 &&
               (events & (EPOLLIN | kHangUp)) != 0) {
      const size_t room = std::min(buffer.size() - used, kReadBytesMax);
      if (room < kReadBytesMin) break;
      row.result = static_cast<int32_t>(Read(token, *handle, events, buffer.subspan(used, room)));
      used += static_cast<size_t>(std::max(row.result, 0));
    } else if ((events & handle->interest) == 0) {
      // A hang-up can't be masked: left in the set, it would be reported for ever.
      Mute(*handle);
    }
    ++rows;
  }
  counters_.events += rows;
  return rows;
}

void Poller::Flush(uint32_t count) {
  const std::span<const std::byte> buffer(*write_buffer_);
  for (WriteRow& row :
       std::span(*write_rows_).first(std::min<size_t>(count, write_rows_->size()))) {
    const Handle* const handle =
        handles_.Find((static_cast<Token>(row.generation) << 32) | row.slot);
    if (handle == nullptr || row.offset > buffer.size() ||
        row.length > buffer.size() - row.offset) {
      row.result = handle == nullptr ? -EBADF : -EINVAL;
      continue;
    }
    row.result = static_cast<int32_t>(
        WriteStream(handle->fd.get(), handle->is_socket, buffer.subspan(row.offset, row.length)));
    ++counters_.write_calls;
    counters_.written_bytes += static_cast<uint64_t>(std::max(row.result, 0));
  }
}

void Poller::Mute(Handle& handle) {
  if (!handle.muted && epoll_.Remove(handle.fd.get()) == 0) handle.muted = true;
}

}  // namespace scriptd
