#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// Takes the script's uid and gid, without supplementary groups (in a user namespace of one id they
/// can't be dropped), without any capability, and without a way to gain one. Step: identity.
Failure TakeIdentity(const InsidePlan& plan);

/// Gives up every capability and keeps the ids. 0 or -errno.
long DropCapabilities();

}  // namespace scriptd::sandbox
