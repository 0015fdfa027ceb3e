#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>

#include "fd.h"
#include "handle_table.h"
#include "poller.h"
#include "watcher.h"

namespace scriptd {

/// The Poller as JavaScript sees it. Checks types, holds no policy; src/poll/native-poller.ts
/// declares and documents it. Lives until close() or the end of its environment, whichever comes
/// first: both close every descriptor at once and let libuv's handle go.
class PollerBinding : public Napi::ObjectWrap<PollerBinding> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PollerBinding(const Napi::CallbackInfo& info);
  PollerBinding(const PollerBinding&) = delete;
  PollerBinding& operator=(const PollerBinding&) = delete;
  ~PollerBinding() override;

 private:
  using Info = const Napi::CallbackInfo&;
  using Method = Napi::Value (PollerBinding::*)(Info);

  /// Calls a method on an open poller; C++ exceptions become JavaScript's.
  template <Method kMethod>
  Napi::Value Guarded(Info info);

  Napi::Value ListenUnix(Info info);
  Napi::Value ListenTcp(Info info);
  Napi::Value Accept(Info info);
  Napi::Value ConnectUnix(Info info);
  Napi::Value ConnectTcp(Info info);
  Napi::Value Adopt(Info info);
  Napi::Value OpenTimer(Info info);
  Napi::Value ArmTimer(Info info);
  Napi::Value DisarmTimer(Info info);
  Napi::Value WatchProcess(Info info);
  Napi::Value SetInterest(Info info);
  Napi::Value Read(Info info);
  Napi::Value Write(Info info);
  Napi::Value Flush(Info info);
  Napi::Value Remove(Info info);
  Napi::Value ShutdownWrite(Info info);
  Napi::Value TakeError(Info info);
  Napi::Value LocalPort(Info info);
  Napi::Value PeerCredentials(Info info);
  Napi::Value SetNoDelay(Info info);
  Napi::Value SetUserTimeout(Info info);
  Napi::Value SetKeepAlive(Info info);
  Napi::Value Counters(Info info);
  Napi::Value Close(Info info);

  Napi::Value AddConnection(Fd fd);
  Napi::Value Add(Handle handle);
  /// The descriptor that a token argument names, -1 when it is gone.
  int FdOf(const Napi::Value& token);
  void OnReadable();
  /// Hands a batch to JavaScript. False when no JavaScript can run.
  bool Dispatch(uint32_t rows);
  void Shut();

  std::unique_ptr<Poller> poller_;  // null: closed
  Watcher* watcher_ = nullptr;      // null: closed
  Napi::FunctionReference on_batch_;
  napi_async_context async_context_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_hook_ = nullptr;
  bool environment_ends_ = false;
};

}  // namespace scriptd
