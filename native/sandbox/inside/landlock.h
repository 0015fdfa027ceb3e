#pragma once

#include <span>

namespace scriptd::sandbox {

/// The version of Landlock's interface, or -errno: ENOSYS when the kernel has none, EOPNOTSUPP when
/// it is switched off at boot. See landlock(7).
long LandlockVersion();

/// The first that sees to files being cut.
constexpr long kLandlockWithTruncate = 3;

/// A ruleset with the same view of the files as the new root, which must have been entered: all of
/// it can be read and executed, devices can be written, and /work, /tmp and /dev/shm are free. The
/// descriptor (close-on-exec), or -errno.
long MakeRuleset();

/// One by which all below `read_only` can be read and executed, and all below `writable` is free;
/// nothing else can be opened. Both may name files and devices too. The descriptor (close-on-exec),
/// or -errno, of a path that isn't there, too.
long MakeRulesetOf(std::span<const char* const> read_only, std::span<const char* const> writable);

/// Binds this process and all that it starts to `ruleset`; needs no_new_privs. 0 or -errno.
long RestrictTo(long ruleset);

}  // namespace scriptd::sandbox
