#pragma once

#include <napi.h>

namespace scriptd::sandbox {

/// collect(directory: string | number, order: Uint8Array): Promise<Uint8Array>. Off the event loop.
/// The order is without its length; see src/worker/collect.ts.
Napi::Value CollectBinding(const Napi::CallbackInfo& info);

}  // namespace scriptd::sandbox
