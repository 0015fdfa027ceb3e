// The JavaScript face of the addon. It checks types and holds no policy: src/worker/sandbox.ts
// validates what a plan says.

#include <napi.h>

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collect_binding.h"
#include "inside/landlock.h"
#include "inside/seccomp.h"
#include "launcher.h"
#include "limit.h"
#include "plan.h"
#include "process.h"
#include "strict_plan.h"
#include "system_error.h"

namespace scriptd::sandbox {
namespace {

constexpr double kSafeIntegerMax = 9007199254740991.0;

[[noreturn]] void ThrowType(const Napi::Env& env, const std::string& message) {
  throw Napi::TypeError::New(env, message);
}

std::string StringOf(const Napi::Value& value, const char* what) {
  if (!value.IsString()) ThrowType(value.Env(), std::string(what) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

std::string PathOf(const Napi::Value& value, const char* what) {
  std::string path = StringOf(value, what);
  if (path.find('\0') != std::string::npos) {
    ThrowType(value.Env(), std::string(what) + " must not contain a NUL byte");
  }
  return path;
}

Napi::Array ArrayOf(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) ThrowType(value.Env(), std::string(what) + " must be an array");
  return value.As<Napi::Array>();
}

double IntegerOf(const Napi::Value& value, const char* what, double min, double max) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  // Written so that NaN fails.
  if (!(number >= min && number <= max && number == std::trunc(number))) {
    ThrowType(value.Env(), std::string(what) + " must be an integer in range");
  }
  return number;
}

int IntOf(const Napi::Value& value, const char* what) {
  return static_cast<int>(IntegerOf(value, what, 0, INT32_MAX));
}

StringBlock StringBlockOf(const Napi::Value& value, const char* what) {
  const Napi::Array array = ArrayOf(value, what);
  std::vector<std::string> owned;
  owned.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) owned.push_back(PathOf(array.Get(i), what));
  return StringBlock(std::vector<std::string_view>(owned.begin(), owned.end()));
}

/// [["cpu", soft, hard], ...]
std::vector<Limit> LimitsOf(const Napi::Value& value) {
  const Napi::Array array = ArrayOf(value, "limits");
  std::vector<Limit> limits;
  limits.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Array triple = ArrayOf(array.Get(i), "limit");
    const std::optional<int> resource = ResourceByName(StringOf(triple.Get(0U), "limit[0]"));
    if (!resource) ThrowType(value.Env(), "limit[0] must name a resource");
    const double soft = IntegerOf(triple.Get(1U), "limit[1]", 0, kSafeIntegerMax);
    const double hard = IntegerOf(triple.Get(2U), "limit[2]", soft, kSafeIntegerMax);
    limits.push_back({*resource, {static_cast<uint64_t>(soft), static_cast<uint64_t>(hard)}});
  }
  return limits;
}

bool BooleanOf(const Napi::Value& value, const char* what) {
  if (!value.IsBoolean()) ThrowType(value.Env(), std::string(what) + " must be a boolean");
  return value.As<Napi::Boolean>();
}

ControlKind ControlOf(const Napi::Value& value) {
  const std::string name = StringOf(value, "control");
  if (name == "none") return ControlKind::kNone;
  if (name == "pipe") return ControlKind::kPipe;
  if (name == "socket") return ControlKind::kSocket;
  ThrowType(value.Env(), "control must be none, pipe or socket");
}

std::vector<int> DescriptorsOf(const Napi::Value& value, const char* what) {
  const Napi::Array array = ArrayOf(value, what);
  std::vector<int> descriptors;
  descriptors.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) descriptors.push_back(IntOf(array.Get(i), what));
  return descriptors;
}

std::vector<std::string> PathsOf(const Napi::Value& value, const char* what) {
  const Napi::Array array = ArrayOf(value, what);
  std::vector<std::string> paths;
  paths.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) paths.push_back(PathOf(array.Get(i), what));
  return paths;
}

/// Absent when the plan has none.
std::optional<BasicPlan> BasicPlanOf(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  if (!value.IsObject()) ThrowType(value.Env(), "basic must be an object");
  const Napi::Object plan = value.As<Napi::Object>();
  BasicPlan result{.require_landlock = BooleanOf(plan.Get("requireLandlock"), "requireLandlock"),
                   .read_only = PathsOf(plan.Get("readOnly"), "readOnly"),
                   .writable = PathsOf(plan.Get("writable"), "writable"),
                   .identity = std::nullopt,
                   .procs = DescriptorsOf(plan.Get("procs"), "procs")};
  if (plan.Has("cgroup")) result.cgroup = IntOf(plan.Get("cgroup"), "cgroup");
  if (plan.Has("uid")) {
    result.identity = {static_cast<uid_t>(IntOf(plan.Get("uid"), "uid")),
                       static_cast<gid_t>(IntOf(plan.Get("gid"), "gid"))};
  }
  return result;
}

SpawnPlan PlanOf(const Napi::Value& value) {
  if (!value.IsObject()) ThrowType(value.Env(), "the plan must be an object");
  const Napi::Object plan = value.As<Napi::Object>();
  return {.file = PathOf(plan.Get("file"), "file"),
          .argv = StringBlockOf(plan.Get("argv"), "argv"),
          .env = StringBlockOf(plan.Get("env"), "env"),
          .cwd = PathOf(plan.Get("cwd"), "cwd"),
          .stdin_source = BooleanOf(plan.Get("stdinPipe"), "stdinPipe") ? StdinSource::kPipe
                                                                        : StdinSource::kNull,
          .control = ControlOf(plan.Get("control")),
          .limits = LimitsOf(plan.Get("limits")),
          .basic = BasicPlanOf(plan.Get("basic"))};
}

std::vector<std::uint8_t> BytesOf(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    ThrowType(value.Env(), std::string(what) + " must be a Uint8Array");
  }
  const auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.Data() + bytes.ByteLength()};
}

StrictPlan StrictPlanOf(const Napi::Value& value) {
  if (!value.IsObject()) ThrowType(value.Env(), "the plan must be an object");
  const Napi::Object plan = value.As<Napi::Object>();
  StrictPlan result{.init = PathOf(plan.Get("init"), "init"),
                    .inside = BytesOf(plan.Get("inside"), "inside"),
                    .read_only = BytesOf(plan.Get("readOnly"), "readOnly"),
                    .procs = DescriptorsOf(plan.Get("procs"), "procs"),
                    .stdin_source = BooleanOf(plan.Get("stdinPipe"), "stdinPipe")
                                        ? StdinSource::kPipe
                                        : StdinSource::kNull,
                    .control = ControlOf(plan.Get("control")),
                    .uid_map = std::nullopt,
                    .gid_map = {}};
  result.own_network = BooleanOf(plan.Get("ownNetwork"), "ownNetwork");
  if (plan.Has("cgroup")) result.cgroup = IntOf(plan.Get("cgroup"), "cgroup");
  if (plan.Has("uidMap")) {
    result.uid_map = StringOf(plan.Get("uidMap"), "uidMap");
    result.gid_map = StringOf(plan.Get("gidMap"), "gidMap");
  }
  return result;
}

Napi::Error ErrorOf(const Napi::Env& env, const SystemError& error) {
  Napi::Error result = Napi::Error::New(env, error.what());
  result.Set("syscall", error.syscall());
  result.Set("errno", static_cast<double>(error.error()));
  return result;
}

/// A SystemError becomes an Error with `syscall` and `errno`.
template <typename Function>
Napi::Value Guarded(const Napi::Env& env, Function&& function) {
  try {
    return function();
  } catch (const SystemError& error) {
    throw ErrorOf(env, error);
  } catch (const std::invalid_argument& error) {
    ThrowType(env, error.what());
  }
}

/// One for each environment: Workers share nothing.
class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env, Napi::Object exports) {
    DefineAddon(
        exports,
        {InstanceMethod("start", &Addon::Start), InstanceMethod("startStrict", &Addon::StartStrict),
         InstanceMethod("requestFork", &Addon::RequestFork),
         InstanceMethod("openProcess", &Addon::OpenChild),
         InstanceMethod("landlockVersion", &Addon::ProbeLandlock),
         InstanceMethod("filterProgram", &Addon::Filter),
         InstanceMethod("collect", &Addon::Collect), InstanceMethod("signalGroup", &Addon::Signal),
         InstanceMethod("reap", &Addon::ReapChild)});
  }

 private:
  Napi::Value Start(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const SpawnPlan plan = PlanOf(info[0]);
    return Guarded(env, [&] { return Handed(env, launcher().Start(plan)); });
  }

  Napi::Value StartStrict(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const StrictPlan plan = StrictPlanOf(info[0]);
    return Guarded(env, [&] { return Handed(env, launcher().StartStrict(plan)); });
  }

  /// (socket, plan) as for StartStrict.
  Napi::Value RequestFork(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const int requests = IntOf(info[0], "requests");
    const StrictPlan plan = StrictPlanOf(info[1]);
    return Guarded(env, [&] { return Handed(env, launcher().RequestFork(requests, plan)); });
  }

  Napi::Value OpenChild(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const int pid = IntOf(info[0], "pid");
    return Guarded(env, [&]() -> Napi::Value {
      Descriptor pidfd = OpenProcess(pid);
      const Napi::Value result = Napi::Number::New(env, pidfd.get());
      pidfd.Release();
      return result;
    });
  }

  Napi::Value ProbeLandlock(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(LandlockVersion()));
  }

  /// The instructions of the seccomp filter, as in linux/filter.h.
  Napi::Value Filter(const Napi::CallbackInfo& info) {
    const auto bytes = std::as_bytes(FilterProgram(info[0].ToBoolean()));
    return Napi::Buffer<std::byte>::Copy(info.Env(), bytes.data(), bytes.size());
  }

  Napi::Value Collect(const Napi::CallbackInfo& info) { return CollectBinding(info); }

  Launcher& launcher() {
    if (!launcher_) launcher_.emplace();
    return *launcher_;
  }

  /// The process as an object whose descriptors are the caller's.
  static Napi::Value Handed(const Napi::Env& env, StartedProcess process) {
    Napi::Object result = Napi::Object::New(env);
    if (process.pidfd) {
      result.Set("pid", process.pid);
      result.Set("pidfd", process.pidfd.get());
    }
    if (process.stdin_pipe) result.Set("stdin", process.stdin_pipe.get());
    result.Set("stdout", process.stdout_pipe.get());
    result.Set("stderr", process.stderr_pipe.get());
    if (process.control) result.Set("control", process.control.get());
    if (process.status) result.Set("status", process.status.get());
    // Only now: a Worker that is being terminated throws from any of the calls above.
    for (Descriptor* descriptor : {&process.pidfd, &process.stdin_pipe, &process.stdout_pipe,
                                   &process.stderr_pipe, &process.control, &process.status}) {
      descriptor->Release();
    }
    return result;
  }

  Napi::Value Signal(const Napi::CallbackInfo& info) {
    const int pid = IntOf(info[0], "pid");
    const int signal = IntOf(info[1], "signal");
    return Guarded(info.Env(),
                   [&] { return Napi::Boolean::New(info.Env(), SignalGroup(pid, signal)); });
  }

  Napi::Value ReapChild(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const int pid = IntOf(info[0], "pid");
    return Guarded(env, [&]() -> Napi::Value {
      const std::optional<ExitStatus> status = Reap(pid);
      if (!status) return env.Undefined();
      Napi::Object result = Napi::Object::New(env);
      result.Set("exitCode", status->exit_code);
      result.Set("signal", status->signal);
      result.Set("userMs", status->user_ms);
      result.Set("systemMs", status->system_ms);
      result.Set("memoryPeakBytes", static_cast<double>(status->memory_peak_bytes));
      return result;
    });
  }

  std::optional<Launcher> launcher_;  // made at the first start
};

NODE_API_NAMED_ADDON(sandbox, Addon)

}  // namespace
}  // namespace scriptd::sandbox
