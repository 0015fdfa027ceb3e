#pragma once

namespace scriptd::sandbox {

/// Puts the deny list of seccomp.cc on this process and all that it starts; needs no_new_privs.
/// 0 or -errno.
long InstallFilter();

}  // namespace scriptd::sandbox
