#include <napi.h>

#include "arguments.h"
#include "javascript_error.h"
#include "poller_binding.h"
#include "process.h"
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
                          InstanceMethod<&EpollAddon::OpenPipe>("openPipe")});
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
};

}  // namespace
}  // namespace scriptd

// The macro names the class without its namespace.
using scriptd::EpollAddon;
NODE_API_ADDON(EpollAddon)
