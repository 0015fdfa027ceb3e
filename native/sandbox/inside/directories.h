#pragma once

#include <sys/types.h>

namespace scriptd::sandbox {

/// Makes the directories that lead to `path`, which is relative to the working directory, but not
/// `path` itself; those that are new belong to `uid`. 0 or -errno.
long MakeParents(const char* path, uid_t uid, gid_t gid);

/// mkdir -p, mode 0755. 0 or -errno.
long MakeDirectory(const char* path, uid_t uid, gid_t gid);

}  // namespace scriptd::sandbox
