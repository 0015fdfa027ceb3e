#include "collect_binding.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "inside/collect.h"

namespace scriptd::sandbox {
namespace {

long Append(void* context, const void* bytes, std::size_t size) {
  auto& records = *static_cast<std::vector<std::uint8_t>*>(context);
  const auto* begin = static_cast<const std::uint8_t*>(bytes);
  records.insert(records.end(), begin, begin + size);
  return 0;
}

/// An order on its way through the thread pool: a large tree takes a while.
class CollectWorker : public Napi::AsyncWorker {
 public:
  CollectWorker(const Napi::Env& env, Descriptor directory, std::vector<std::uint8_t> order)
      : AsyncWorker(env, "scriptd.collect"),
        deferred_(Napi::Promise::Deferred::New(env)),
        directory_(std::move(directory)),
        order_(std::move(order)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    const auto order = std::make_unique<CollectOrder>();
    long result = ParseOrder(order_.data(), order_.size(), *order);
    if (result >= 0) result = Collect(directory_.get(), *order, {Append, &records_});
    if (result < 0) SetError("collect failed with errno " + std::to_string(-result));
  }

  void OnOK() override {
    deferred_.Resolve(Napi::Buffer<std::uint8_t>::Copy(Env(), records_.data(), records_.size()));
  }

  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  Descriptor directory_;
  std::vector<std::uint8_t> order_;
  std::vector<std::uint8_t> records_;
};

/// The caller's descriptor may be closed before the pool gets to it.
Descriptor DirectoryOf(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  int fd = -1;
  if (value.IsNumber()) {
    fd = fcntl(value.As<Napi::Number>().Int32Value(), F_DUPFD_CLOEXEC, 3);
  } else if (value.IsString()) {
    const std::string path = value.As<Napi::String>().Utf8Value();
    fd = open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  } else {
    throw Napi::TypeError::New(env, "directory must be a string or a number");
  }
  if (fd >= 0) return Descriptor(fd);
  const int error = errno;
  Napi::Error result = Napi::Error::New(env, "the directory cannot be opened");
  result.Set("syscall", "open");
  result.Set("errno", static_cast<double>(error));
  throw result;
}

}  // namespace

Napi::Value CollectBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsTypedArray() ||
      info[1].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(env, "order must be a Uint8Array");
  }
  const auto order = info[1].As<Napi::Uint8Array>();
  auto* worker = new CollectWorker(env, DirectoryOf(info[0]),
                                   {order.Data(), order.Data() + order.ByteLength()});
  const Napi::Promise promise = worker->promise();
  worker->Queue();  // deletes itself
  return promise;
}

}  // namespace scriptd::sandbox
