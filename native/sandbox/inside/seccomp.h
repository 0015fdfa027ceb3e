#pragma once

#include <linux/filter.h>

#include <span>

namespace scriptd::sandbox {

/// The deny list of seccomp.cc, as the kernel gets it.
std::span<const sock_filter> FilterProgram();

/// Puts the deny list of seccomp.cc on this process and all that it starts; needs no_new_privs.
/// 0 or -errno.
long InstallFilter();

}  // namespace scriptd::sandbox
