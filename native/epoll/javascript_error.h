#pragma once

#include <napi.h>

#include "system_error.h"

namespace scriptd {

/// The Error {errno, syscall} that src/poll/system-error.ts turns into a ScriptdError.
inline Napi::Error ToJavaScript(Napi::Env env, const SystemError& error) {
  Napi::Error result = Napi::Error::New(env, error.what());
  result.Set("errno", Napi::Number::New(env, error.code().value()));
  result.Set("syscall", Napi::String::New(env, error.syscall()));
  return result;
}

}  // namespace scriptd
