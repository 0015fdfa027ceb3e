#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "limit.h"
#include "pages.h"

namespace scriptd::sandbox {

/// A tmpfs, and what it may hold.
struct Capacity {
  std::uint64_t bytes;
  std::uint64_t inodes;
};

/// A file that the script finds in its work directory.
struct InputFile {
  const char* name;  // relative, without empty, "." or ".." components
  std::uint32_t mode;
  std::string_view content;
};

/// All that happens between the clone and the script. Strings point into the bytes it was parsed
/// from, which must outlive it.
struct InsidePlan {
  bool own_user_namespace;
  bool require_landlock;
  bool own_network;
  std::uint32_t uid;
  std::uint32_t gid;
  Capacity work;
  Capacity tmp;
  Capacity shm;
  const char* file;
  Pages<const char*> argv;  // ends in a null pointer, like env
  Pages<const char*> env;
  Pages<const char*> read_only;  // absolute
  Pages<InputFile> files;
  Pages<Limit> limits;
  Pages<int> procs;  // open cgroup.procs files of cgroup v1, ours to close
};

/// Reads a plan as src/worker/sandbox-plan.ts writes it, which also describes the format. 0, or
/// -EINVAL when anything is wrong with the bytes, or -ENOMEM.
long ParsePlan(const std::uint8_t* bytes, std::size_t size, InsidePlan& plan);

}  // namespace scriptd::sandbox
