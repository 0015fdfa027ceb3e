#pragma once

#include "basic_plan.h"
#include "descriptor.h"

namespace scriptd::sandbox {

/// Landlock's ruleset for the plan, made by the parent: empty where the kernel, or a container's
/// filter, has none and the plan doesn't require it.
/// @throws SystemError landlock
Descriptor RulesetFor(const BasicPlan& plan);

/// A change of ids makes the memory that the child shares with us undumpable, see prctl(2): gives
/// it back what it was.
class Dumpable {
 public:
  Dumpable();
  ~Dumpable();
  Dumpable(const Dumpable&) = delete;
  Dumpable& operator=(const Dumpable&) = delete;

 private:
  int before_;
};

// By the child between clone and exec, see RunChild. Each returns 0 or more, or -errno.

/// cgroup v1; on v2 the clone did it.
long JoinCgroups(const BasicPlan& plan);

/// Takes the plan's ids, if it has any, and gives up every capability, so that none can come back.
long TakeIdentityOf(const BasicPlan& plan);

}  // namespace scriptd::sandbox
