#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace scriptd::sandbox {

struct Identity {
  uid_t uid;
  gid_t gid;
};

/// What a plain start has at level basic: Landlock and seccomp, no capability, and where they are
/// given ids and cgroups of its own.
struct BasicPlan {
  bool require_landlock;
  std::vector<std::string> read_only;  // absolute; can be executed, too
  std::vector<std::string> writable;   // absolute
  // Nobody else's: while the child still shares the worker's memory, whoever has its uid could
  // stop it, and the worker with it.
  std::optional<Identity> identity;
  int cgroup = -1;         // a directory of cgroup v2 to start in, or -1; stays the caller's
  std::vector<int> procs;  // files cgroup.procs of cgroup v1; stay the caller's
};

}  // namespace scriptd::sandbox
