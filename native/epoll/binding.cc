#include <napi.h>

#include "arguments.h"
#include "datagram.h"
#include "javascript_error.h"
#include "poller_binding.h"
#include "process.h"
#include "socket.h"
#include "stream.h"
#include "system_error.h"

namespace scriptd {
namespace {

/// One per environment: the main thread and each Worker have their own.
class EpollAddon : public Napi::Addon<EpollAddon> {
 public:
  EpollAddon(Napi::Env env, Napi::Object exports) {
    exports.Set("Poller", PollerBinding::Define(env));
    DefineAddon(exports, {InstanceMethod<&EpollAddon::OpenProcess>("openProcess"),
                          InstanceMethod<&EpollAddon::OpenPipe>("openPipe"),
                          InstanceMethod<&EpollAddon::SendDatagram>("sendDatagram"),
                          InstanceMethod<&EpollAddon::DescribeTcpListener>("describeTcpListener")});
  }

 private:
  Napi::Value OpenProcess(const Napi::CallbackInfo& info) {
    try {
      return Napi::Number::New(info.Env(), scriptd::OpenProcess(IntArgument(info[0])).Release());
    } catch (const SystemError& error) {
      throw ToJavaScript(info.Env(), error);
    }
  }

  Napi::Value OpenPipe(const Napi::CallbackInfo& info) {
    try {
      Pipe pipe = scriptd::OpenPipe();
      Napi::Array ends = Napi::Array::New(info.Env(), 2);
      ends.Set(0U, pipe.read_end.Release());
      ends.Set(1U, pipe.write_end.Release());
      return ends;
    } catch (const SystemError& error) {
      throw ToJavaScript(info.Env(), error);
    }
  }

  Napi::Value SendDatagram(const Napi::CallbackInfo& info) {
    try {
      scriptd::SendDatagram(StringArgument(info[0]), StringArgument(info[1]));
      return info.Env().Undefined();
    } catch (const SystemError& error) {
      throw ToJavaScript(info.Env(), error);
    }
  }

  Napi::Value DescribeTcpListener(const Napi::CallbackInfo& info) {
    try {
      const TcpListener listener = scriptd::DescribeTcpListener(IntArgument(info[0]));
      Napi::Object described = Napi::Object::New(info.Env());
      described.Set("host", Napi::String::New(info.Env(), listener.host));
      described.Set("port", Napi::Number::New(info.Env(), listener.port));
      return described;
    } catch (const SystemError& error) {
      throw ToJavaScript(info.Env(), error);
    }
  }
};

}  // namespace
}  // namespace scriptd

// The macro names the class without its namespace.
using scriptd::EpollAddon;
NODE_API_ADDON(EpollAddon)
