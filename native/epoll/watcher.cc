#include "watcher.h"

#include <uv.h>

#include <functional>
#include <utility>

namespace scriptd {

Watcher* Watcher::Start(uv_loop_t* loop, int fd, std::function<void()> on_readable) {
  auto* const watcher = new Watcher(std::move(on_readable));
  if (uv_poll_init(loop, &watcher->poll_, fd) != 0) {
    delete watcher;
    return nullptr;
  }
  watcher->poll_.data = watcher;
  const int started = uv_poll_start(&watcher->poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<Watcher*>(poll->data)->on_readable_();
  });
  if (started != 0) {
    watcher->Close([] {});
    return nullptr;
  }
  watcher->SetKeepAlive(false);
  return watcher;
}

void Watcher::SetKeepAlive(bool on) {
  auto* const handle = reinterpret_cast<uv_handle_t*>(&poll_);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Watcher::Close(std::function<void()> closed) {
  closed_ = std::move(closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_), [](uv_handle_t* handle) {
    auto* const watcher = static_cast<Watcher*>(handle->data);
    const std::function<void()> closed = std::move(watcher->closed_);
    delete watcher;
    closed();
  });
}

}  // namespace scriptd
