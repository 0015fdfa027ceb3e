#include "poller_binding.h"

#include <napi.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <utility>

#include "arguments.h"
#include "fd.h"
#include "handle_table.h"
#include "javascript_error.h"
#include "poller.h"
#include "socket.h"
#include "socket_file.h"
#include "stream.h"
#include "system_error.h"
#include "timer.h"
#include "watcher.h"

namespace scriptd {
namespace {

// More chunks than this leave in the next system call.
constexpr uint32_t kChunksMax = 64;
// Batches handled before libuv has its turn again: what a peer answers at once needs no new
// wake-up, and nobody else on the loop waits for long.
constexpr int kBatchesMax = 16;
constexpr double kNanosecondsPerMillisecond = 1e6;
constexpr double kTimerMsMax = 1e11;  // three years; its nanoseconds fit 64 bits

Token TokenArgument(const Napi::Value& value) {
  return static_cast<Token>(IntegerArgument(value, 0, (int64_t{1} << 53) - 1));
}

/// An ArrayBuffer over shared memory: whichever side lets go last frees it.
template <typename T>
Napi::ArrayBuffer ExposeMemory(Napi::Env env, const Shared<T>& memory) {
  auto* const owner = new Shared<T>(memory);
  return Napi::ArrayBuffer::New(
      env, memory->data(), memory->size() * sizeof(T),
      [](Napi::Env, void*, Shared<T>* held) { delete held; }, owner);
}

/// Runs a call that may throw SystemError; it becomes a JavaScript Error {errno, syscall}.
template <typename Call>
Napi::Value Translated(Napi::Env env, Call call) {
  try {
    return call();
  } catch (const SystemError& error) {
    throw ToJavaScript(env, error);
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Napi::Error::New(env, error.what());
  }
}

}  // namespace

template <PollerBinding::Method kMethod>
Napi::Value PollerBinding::Guarded(Info info) {
  if (!poller_) throw Napi::Error::New(info.Env(), "the poller is closed");
  return Translated(info.Env(), [&] { return (this->*kMethod)(info); });
}

Napi::Function PollerBinding::Define(Napi::Env env) {
  using B = PollerBinding;
  return DefineClass(env, "Poller",
                     {
                         InstanceMethod<&B::Guarded<&B::ListenUnix>>("listenUnix"),
                         InstanceMethod<&B::Guarded<&B::ListenTcp>>("listenTcp"),
                         InstanceMethod<&B::Guarded<&B::Accept>>("accept"),
                         InstanceMethod<&B::Guarded<&B::ConnectUnix>>("connectUnix"),
                         InstanceMethod<&B::Guarded<&B::ConnectTcp>>("connectTcp"),
                         InstanceMethod<&B::Guarded<&B::Adopt>>("adopt"),
                         InstanceMethod<&B::Guarded<&B::OpenTimer>>("openTimer"),
                         InstanceMethod<&B::Guarded<&B::ArmTimer>>("armTimer"),
                         InstanceMethod<&B::Guarded<&B::DisarmTimer>>("disarmTimer"),
                         InstanceMethod<&B::Guarded<&B::WatchProcess>>("watchProcess"),
                         InstanceMethod<&B::Guarded<&B::SetInterest>>("setInterest"),
                         InstanceMethod<&B::Guarded<&B::Read>>("read"),
                         InstanceMethod<&B::Guarded<&B::Write>>("write"),
                         InstanceMethod<&B::Guarded<&B::Flush>>("flush"),
                         InstanceMethod<&B::Guarded<&B::Remove>>("remove"),
                         InstanceMethod<&B::Guarded<&B::ShutdownWrite>>("shutdownWrite"),
                         InstanceMethod<&B::Guarded<&B::TakeError>>("takeError"),
                         InstanceMethod<&B::Guarded<&B::LocalPort>>("localPort"),
                         InstanceMethod<&B::Guarded<&B::PeerCredentials>>("peerCredentials"),
                         InstanceMethod<&B::Guarded<&B::SetNoDelay>>("setNoDelay"),
                         InstanceMethod<&B::Guarded<&B::SetUserTimeout>>("setUserTimeout"),
                         InstanceMethod<&B::Guarded<&B::SetKeepAlive>>("setKeepAlive"),
                         InstanceMethod<&B::Guarded<&B::Counters>>("counters"),
                         InstanceMethod<&B::Close>("close"),
                     });
}

PollerBinding::PollerBinding(Info info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  const PollerSizes sizes = {
      .events_max = static_cast<uint32_t>(IntegerArgument(info[0], 1, 1 << 16)),
      .read_buffer_bytes = static_cast<uint32_t>(IntegerArgument(info[1], 1, 1 << 30)),
      .write_buffer_bytes = static_cast<uint32_t>(IntegerArgument(info[2], 1, 1 << 30)),
  };
  if (!info[3].IsFunction()) throw Napi::TypeError::New(env, "expected a function");

  Translated(env, [&] {
    poller_ = std::make_unique<Poller>(sizes);
    return env.Undefined();
  });
  Napi::Object self = info.This().As<Napi::Object>();
  self.Set("eventRows", ExposeMemory(env, poller_->event_rows()));
  self.Set("readBuffer", ExposeMemory(env, poller_->read_buffer()));
  self.Set("writeRows", ExposeMemory(env, poller_->write_rows()));
  self.Set("writeBuffer", ExposeMemory(env, poller_->write_buffer()));

  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) == napi_ok) {
    watcher_ = Watcher::Start(loop, poller_->fd(), [this] { OnReadable(); });
  }
  if (watcher_ == nullptr) throw Napi::Error::New(env, "libuv can't watch the epoll descriptor");
  on_batch_ = Napi::Persistent(info[3].As<Napi::Function>());
  napi_async_init(env, self, Napi::String::New(env, "scriptd.Poller"), &async_context_);
  napi_add_async_cleanup_hook(
      env,
      [](napi_async_cleanup_hook_handle, void* binding) {
        static_cast<PollerBinding*>(binding)->environment_ends_ = true;
        static_cast<PollerBinding*>(binding)->Shut();
      },
      this, &cleanup_hook_);
  Ref();  // until the watcher is closed
}

PollerBinding::~PollerBinding() {
  if (async_context_ != nullptr) napi_async_destroy(Env(), async_context_);
}

void PollerBinding::Shut() {
  if (watcher_ == nullptr) return;
  std::exchange(watcher_, nullptr)->Close([this] {
    // Only now may the environment go; with it goes this object, or with the next garbage
    // collection.
    napi_async_cleanup_hook_handle hook = cleanup_hook_;
    if (!environment_ends_) {
      const Napi::HandleScope scope(Env());
      on_batch_.Reset();
      Unref();
    }
    napi_remove_async_cleanup_hook(hook);
  });
  poller_.reset();
}

void PollerBinding::OnReadable() {
  // A batch may close this poller.
  for (int batch = 0; batch < kBatchesMax && poller_; ++batch) {
    const uint32_t rows = poller_->Collect();
    if (rows == 0 || !Dispatch(rows)) return;
  }
}

bool PollerBinding::Dispatch(uint32_t rows) {
  const Napi::Env env = Env();
  const Napi::HandleScope scope(env);
  napi_value count = Napi::Number::New(env, rows);
  napi_value ignored = nullptr;
  // Next ticks and microtasks run before this returns.
  const napi_status status =
      napi_make_callback(env, async_context_, Value(), on_batch_.Value(), 1, &count, &ignored);
  if (status == napi_ok) return true;
  bool thrown = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env, &thrown) == napi_ok && thrown &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
  return false;  // the environment may be ending
}

int PollerBinding::FdOf(const Napi::Value& token) {
  const Handle* const handle = poller_->Find(TokenArgument(token));
  return handle == nullptr ? -1 : handle->fd.get();
}

Napi::Value PollerBinding::Add(Handle handle) {
  const Token token = poller_->Add(std::move(handle));
  watcher_->SetKeepAlive(true);
  return Napi::Number::New(Env(), static_cast<double>(token));
}

Napi::Value PollerBinding::AddConnection(Fd fd) {
  Handle handle;
  handle.fd = std::move(fd);
  handle.interest = EPOLLOUT;
  handle.is_socket = true;
  handle.is_byte_stream = true;
  return Add(std::move(handle));
}

Napi::Value PollerBinding::ListenUnix(Info info) {
  Handle handle;
  handle.kind = HandleKind::kListener;
  handle.interest = EPOLLIN;
  handle.file.emplace(SocketFile::Listen(StringArgument(info[0]), UnsignedArgument(info[1]),
                                         IntArgument(info[2]), handle.fd));
  return Add(std::move(handle));
}

Napi::Value PollerBinding::ListenTcp(Info info) {
  Handle handle;
  handle.kind = HandleKind::kListener;
  handle.interest = EPOLLIN;
  handle.fd = scriptd::ListenTcp(SocketAddress::Tcp(StringArgument(info[0]), PortArgument(info[1])),
                                 IntArgument(info[2]));
  return Add(std::move(handle));
}

Napi::Value PollerBinding::Accept(Info info) {
  Token token = 0;
  const int result = poller_->Accept(TokenArgument(info[0]), EPOLLIN, token);
  return Napi::Number::New(Env(), result < 0 ? result : static_cast<double>(token));
}

Napi::Value PollerBinding::ConnectUnix(Info info) {
  return AddConnection(Connect(SocketAddress::Unix(StringArgument(info[0]))));
}

Napi::Value PollerBinding::ConnectTcp(Info info) {
  const auto address = SocketAddress::Tcp(StringArgument(info[0]), PortArgument(info[1]));
  return AddConnection(Connect(address));
}

Napi::Value PollerBinding::Adopt(Info info) {
  const int fd = IntArgument(info[0]);
  const StreamTraits traits = PrepareStream(fd);
  Handle handle;
  handle.fd = Fd(fd);
  handle.interest = traits.readable ? uint32_t{EPOLLIN} : 0;
  handle.is_socket = traits.is_socket;
  Napi::Object result = Napi::Object::New(Env());
  result.Set("token", Add(std::move(handle)));
  result.Set("readable", traits.readable);
  result.Set("writable", traits.writable);
  result.Set("isSocket", traits.is_socket);
  return result;
}

Napi::Value PollerBinding::OpenTimer(Info) {
  Handle handle;
  handle.kind = HandleKind::kTimer;
  handle.interest = EPOLLIN;
  handle.fd = scriptd::OpenTimer();
  return Add(std::move(handle));
}

Napi::Value PollerBinding::ArmTimer(Info info) {
  const int fd = FdOf(info[0]);
  double ms = 0;
  if (napi_get_value_double(Env(), info[1], &ms) != napi_ok || !(ms >= 0 && ms <= kTimerMsMax)) {
    throw Napi::TypeError::New(Env(), "expected milliseconds");
  }
  const auto nanoseconds = static_cast<int64_t>(ms * kNanosecondsPerMillisecond);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::ArmTimer(fd, nanoseconds));
}

Napi::Value PollerBinding::DisarmTimer(Info info) {
  const int fd = FdOf(info[0]);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::DisarmTimer(fd));
}

Napi::Value PollerBinding::WatchProcess(Info info) {
  const int fd = IntArgument(info[0]);
  (void)PrepareStream(fd);
  Handle handle;
  handle.kind = HandleKind::kProcess;
  handle.interest = EPOLLIN;
  handle.fd = Fd(fd);
  return Add(std::move(handle));
}

Napi::Value PollerBinding::SetInterest(Info info) {
  const uint32_t interest = (BooleanArgument(info[1]) ? uint32_t{EPOLLIN} : 0) |
                            (BooleanArgument(info[2]) ? uint32_t{EPOLLOUT} : 0);
  return Napi::Number::New(Env(), poller_->SetInterest(TokenArgument(info[0]), interest));
}

Napi::Value PollerBinding::Read(Info info) {
  const auto count = poller_->Read(TokenArgument(info[0]), BytesArgument(info[1]));
  return Napi::Number::New(Env(), static_cast<double>(count));
}

Napi::Value PollerBinding::Write(Info info) {
  const Token token = TokenArgument(info[0]);
  if (!info[1].IsArray()) throw Napi::TypeError::New(Env(), "expected an array");
  const auto chunks = info[1].As<Napi::Array>();
  std::array<iovec, kChunksMax> vectors{};
  const uint32_t count = std::min(chunks.Length(), kChunksMax);
  for (uint32_t i = 0; i < count; ++i) {
    const auto bytes = BytesArgument(chunks[i]);
    vectors.at(i) = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  }
  const auto written = poller_->Write(token, std::span(vectors).first(count));
  return Napi::Number::New(Env(), static_cast<double>(written));
}

Napi::Value PollerBinding::Flush(Info info) {
  poller_->Flush(UnsignedArgument(info[0]));
  return Env().Undefined();
}

Napi::Value PollerBinding::Remove(Info info) {
  poller_->Remove(TokenArgument(info[0]));
  watcher_->SetKeepAlive(poller_->open() > 0);
  return Env().Undefined();
}

Napi::Value PollerBinding::ShutdownWrite(Info info) {
  const int fd = FdOf(info[0]);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::ShutdownWrite(fd));
}

Napi::Value PollerBinding::TakeError(Info info) {
  const int fd = FdOf(info[0]);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::SocketError(fd));
}

Napi::Value PollerBinding::LocalPort(Info info) {
  const int fd = FdOf(info[0]);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::LocalPort(fd));
}

Napi::Value PollerBinding::PeerCredentials(Info info) {
  const int fd = FdOf(info[0]);
  struct PeerCredentials peer {};
  const int result = fd < 0 ? -EBADF : GetPeerCredentials(fd, peer);
  if (result < 0) ThrowErrno("getsockopt", -result);
  Napi::Object credentials = Napi::Object::New(Env());
  credentials.Set("pid", peer.pid);
  credentials.Set("uid", peer.uid);
  credentials.Set("gid", peer.gid);
  return credentials;
}

Napi::Value PollerBinding::SetNoDelay(Info info) {
  const int fd = FdOf(info[0]);
  const bool on = BooleanArgument(info[1]);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::SetNoDelay(fd, on));
}

Napi::Value PollerBinding::SetUserTimeout(Info info) {
  const int fd = FdOf(info[0]);
  const uint32_t timeout_ms = UnsignedArgument(info[1]);
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::SetUserTimeout(fd, timeout_ms));
}

Napi::Value PollerBinding::SetKeepAlive(Info info) {
  const int fd = FdOf(info[0]);
  const scriptd::KeepAlive keep_alive{.idle_seconds = UnsignedArgument(info[1]),
                                      .interval_seconds = UnsignedArgument(info[2]),
                                      .probes = UnsignedArgument(info[3])};
  return Napi::Number::New(Env(), fd < 0 ? -EBADF : scriptd::SetKeepAlive(fd, keep_alive));
}

Napi::Value PollerBinding::Counters(Info) {
  const PollerCounters& counters = poller_->counters();
  Napi::Object result = Napi::Object::New(Env());
  const auto set = [&](const char* name, uint64_t value) {
    result.Set(name, static_cast<double>(value));
  };
  set("wakeUps", counters.wake_ups);
  set("events", counters.events);
  set("staleEvents", counters.stale_events);
  set("readCalls", counters.read_calls);
  set("readBytes", counters.read_bytes);
  set("writeCalls", counters.write_calls);
  set("writtenBytes", counters.written_bytes);
  set("openHandles", poller_->open());
  return result;
}

Napi::Value PollerBinding::Close(Info info) {
  Shut();
  return info.Env().Undefined();
}

}  // namespace scriptd
