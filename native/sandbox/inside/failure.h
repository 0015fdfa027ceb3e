#pragma once

namespace scriptd::sandbox {

/// The first step of a setup that went wrong, or none. The strings are literals or parts of the
/// plan: they live as long as that.
struct Failure {
  const char* step = nullptr;  // null when all went well
  int error = 0;               // its errno, positive
  const char* detail = "";     // the path it was about, if any

  explicit operator bool() const { return step != nullptr; }
};

/// What a raw system call returned, as the outcome of `step`.
inline Failure Outcome(const char* step, long result, const char* detail = "") {
  return result >= 0 ? Failure{} : Failure{step, static_cast<int>(-result), detail};
}

}  // namespace scriptd::sandbox
