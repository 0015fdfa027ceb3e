#pragma once

#include <linux/filter.h>

#include <span>

namespace scriptd::sandbox {

/// The deny list of seccomp.cc, as the kernel gets it.
std::span<const sock_filter> FilterProgram(bool truncates);

/// Puts the deny list of seccomp.cc on this process and all that it starts; needs no_new_privs.
/// `truncates`: files may be cut by their path, which Landlock sees to only from its third version
/// on. 0 or -errno.
long InstallFilter(bool truncates);

}  // namespace scriptd::sandbox
