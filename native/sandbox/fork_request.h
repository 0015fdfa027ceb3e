#pragma once

#include <cstdint>

namespace scriptd::sandbox {

// What the worker and a fork server say to each other over a stream socket (server/serve.h). Both
// are of one build and on one machine: the bytes are those of the structures.

/// With it come descriptors (SCM_RIGHTS, unix(7)), in this order: the plan (inside/inside_plan.h),
/// the status socket, stdin, stdout, stderr, the control pipe, with kIntoCgroup a directory of
/// cgroup v2, with kMountsAhead a mount namespace (`EnterOwnRoot` in inside/mounts.h), and the
/// cgroup.procs files that the plan counts.
struct ForkRequest {
  static constexpr std::uint32_t kMagic = 0x024b4653;  // "SFK" and the version
  static constexpr std::uint32_t kOwnUserNamespace = 1;
  static constexpr std::uint32_t kIntoCgroup = 2;
  static constexpr std::uint32_t kMountsAhead = 4;

  std::uint32_t magic;
  std::uint32_t flags;
};

/// One for each request, in their order.
struct ForkReply {
  std::int32_t pid;    // in the server's pid namespace; 0 when there is none
  std::int32_t error;  // why, as errno; else 0
};

/// Of one request, those that it always has included. SCM_MAX_FD of the kernel is 253.
inline constexpr int kForkDescriptorsMax = 32;

}  // namespace scriptd::sandbox
