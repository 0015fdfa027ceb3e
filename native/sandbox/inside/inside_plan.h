#pragma once

#include <cstddef>
#include <cstdint>

#include "pages.h"
#include "program.h"

namespace scriptd::sandbox {

/// A tmpfs, and what it may hold.
struct Capacity {
  std::uint64_t bytes;
  std::uint64_t inodes;
};

/// What of the host is in the sandbox, and where. Both absolute.
struct ReadOnly {
  const char* source;
  const char* target;
};

/// All that happens between the clone and the script. Strings point into the bytes it was parsed
/// from, which must outlive it.
struct InsidePlan {
  bool own_user_namespace;
  bool require_landlock;
  bool own_network;
  bool waits;  // for a task frame, whose program replaces this one's
  std::uint32_t uid;
  std::uint32_t gid;
  Capacity work;
  Capacity tmp;
  Capacity shm;
  const char* file;
  Program program;
  Pages<ReadOnly> read_only;
  Pages<int> procs;  // open cgroup.procs files of cgroup v1, ours to close
};

/// Reads the read-only paths of a plan alone. As ParsePlan.
long ParseReadOnly(const std::uint8_t* bytes, std::size_t size, Pages<ReadOnly>& paths);

/// Reads a plan as src/worker/sandbox-plan.ts writes it, which also describes the format. 0, or
/// -EINVAL when anything is wrong with the bytes, or -ENOMEM.
long ParsePlan(const std::uint8_t* bytes, std::size_t size, InsidePlan& plan);

}  // namespace scriptd::sandbox
