#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plan.h"

namespace scriptd::sandbox {

/// A start in new namespaces. What happens inside is in `inside`, the bytes that scriptd-init reads
/// (inside/inside_plan.h).
struct StrictPlan {
  std::string init;  // absolute path of scriptd-init
  std::vector<std::uint8_t> inside;
  std::vector<std::uint8_t> read_only;  // of `inside`, its read-only paths alone
  std::vector<int> procs;  // the cgroup.procs files that `inside` names; stay the caller's
  int cgroup = -1;         // a directory of cgroup v2 to start in, or -1; stays the caller's
  StdinSource stdin_source;
  ControlKind control;  // the script's 3, or what scriptd-init waits on
  bool own_network = false;
  // Maps of a new user namespace, as in uid_map; without them there is none.
  std::optional<std::string> uid_map;
  std::string gid_map;
};

}  // namespace scriptd::sandbox
