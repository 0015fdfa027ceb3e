#pragma once

#include <napi.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace scriptd {

// JavaScript has validated already: these only keep a wrong type from becoming undefined
// behaviour. Each throws Napi::TypeError.

/// `max` is at most 2^53 - 1: every integer up to there is an exact double.
inline int64_t IntegerArgument(const Napi::Value& value, int64_t min, int64_t max) {
  double number = 0;
  const bool is_number = napi_get_value_double(value.Env(), value, &number) == napi_ok;
  // Written so that NaN fails.
  if (!is_number || !(number >= static_cast<double>(min) && number <= static_cast<double>(max)) ||
      number != std::trunc(number)) {
    throw Napi::TypeError::New(value.Env(), "expected an integer between " + std::to_string(min) +
                                                " and " + std::to_string(max));
  }
  return static_cast<int64_t>(number);
}

inline uint32_t UnsignedArgument(const Napi::Value& value) {
  return static_cast<uint32_t>(IntegerArgument(value, 0, UINT32_MAX));
}

inline int IntArgument(const Napi::Value& value) {
  return static_cast<int>(IntegerArgument(value, 0, INT32_MAX));
}

inline uint16_t PortArgument(const Napi::Value& value) {
  return static_cast<uint16_t>(IntegerArgument(value, 0, UINT16_MAX));
}

inline bool BooleanArgument(const Napi::Value& value) {
  bool boolean = false;
  if (napi_get_value_bool(value.Env(), value, &boolean) != napi_ok) {
    throw Napi::TypeError::New(value.Env(), "expected a boolean");
  }
  return boolean;
}

inline std::string StringArgument(const Napi::Value& value) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), "expected a string");
  return value.As<Napi::String>().Utf8Value();
}

/// The bytes stay where they are for as long as no JavaScript runs.
inline std::span<std::byte> BytesArgument(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Napi::TypeError::New(value.Env(), "expected a Uint8Array");
  }
  auto array = value.As<Napi::Uint8Array>();
  return {reinterpret_cast<std::byte*>(array.Data()), array.ByteLength()};
}

}  // namespace scriptd
