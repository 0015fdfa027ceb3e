#pragma once

#include <uv.h>

#include <functional>
#include <utility>

namespace scriptd {

/// Lets libuv's loop watch a descriptor (here: an epoll set, which nests). Lives on the heap until
/// libuv has let go of it; call Close, never delete.
class Watcher {
 public:
  /// nullptr when libuv refuses.
  static Watcher* Start(uv_loop_t* loop, int fd, std::function<void()> on_readable);

  /// Whether it keeps the loop alive.
  void SetKeepAlive(bool on);

  /// Stops watching at once: `fd` may be closed after this returns. `closed` runs later, from the
  /// loop, and the watcher is gone.
  void Close(std::function<void()> closed);

 private:
  explicit Watcher(std::function<void()> on_readable) : on_readable_(std::move(on_readable)) {}
  ~Watcher() = default;

  uv_poll_t poll_{};
  std::function<void()> on_readable_;
  std::function<void()> closed_;
};

}  // namespace scriptd
