#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>

namespace scriptd::sandbox {

/// Puts a seccomp program together at compile time. Jumps only go forward, and no further than 255
/// instructions: a longer program does not compile.
class Assembler {
 public:
  static constexpr std::size_t kInstructionsMax = 255;

  constexpr void Load(std::size_t offset) {
    Emit(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  constexpr void And(std::uint32_t mask) { Emit(BPF_ALU | BPF_AND | BPF_K, mask); }
  constexpr void Return(std::uint32_t action) { Emit(BPF_RET | BPF_K, action); }
  /// The next `skip` instructions are left out when the value loaded is (not) `value`.
  constexpr void SkipUnlessEqual(std::uint32_t value, std::uint8_t skip) {
    Emit(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
  }
  constexpr void SkipIfEqual(std::uint32_t value, std::uint8_t skip) {
    Emit(BPF_JMP | BPF_JEQ | BPF_K, value, skip, 0);
  }
  constexpr void SkipIfBelow(std::uint32_t value, std::uint8_t skip) {
    Emit(BPF_JMP | BPF_JGE | BPF_K, value, 0, skip);
  }
  constexpr void SkipUnlessBelow(std::uint32_t value, std::uint8_t skip) {
    Emit(BPF_JMP | BPF_JGE | BPF_K, value, skip, 0);
  }

  constexpr std::size_t size() const { return size_; }
  constexpr const sock_filter* code() const { return code_; }

 private:
  constexpr void Emit(std::uint16_t code, std::uint32_t k, std::uint8_t jt = 0,
                      std::uint8_t jf = 0) {
    code_[size_++] = {code, jt, jf, k};
  }

  sock_filter code_[kInstructionsMax] = {};
  std::size_t size_ = 0;
};

}  // namespace scriptd::sandbox
