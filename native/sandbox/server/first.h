#pragma once

#include <sys/types.h>

#include "received.h"

namespace scriptd::sandbox {

/// Ids as the host counts them.
struct HostIds {
  uid_t uid;
  gid_t gid;
};

/// The first process of a run's pid namespace, made by a fork server as its sibling: does what
/// scriptd-init does, but the script's process is forked from it. Returns in that, as
/// `scriptd_serve` has to: confined, with nothing open but 0, 1, 2 and kControlFd.
void LiveAsFirstProcess(Received& request, const HostIds& host);

}  // namespace scriptd::sandbox
