#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// Makes the ids all that counts: nothing gives a capability any more, neither execve nor a change
/// of ids. Those held so far stay. Step: identity.
Failure SealIdentity();

/// Takes the script's uid and gid, without supplementary groups (in a user namespace of one id they
/// can't be dropped), and without a way to gain privileges. Of the capabilities CAP_SYS_RESOURCE is
/// left, for the limits, and what `KeepShield` keeps, until `DropCapabilities`. Step: identity.
Failure TakeIdentity(const InsidePlan& plan);

/// Gives up every capability and keeps the ids. 0 or -errno.
long DropCapabilities();

/// The same, but for one that is permitted and not in effect: a script of the same ids, which has
/// none, can't make this process wait for a processor. 0 or -errno.
long KeepShield();

}  // namespace scriptd::sandbox
