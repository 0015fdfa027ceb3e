#pragma once

#include <cstddef>

#include "collect_order.h"

namespace scriptd::sandbox {

/// Where records go. `write` takes all of the bytes and returns 0, or -errno, and then nothing more
/// is collected.
struct CollectSink {
  long (*write)(void* context, const void* bytes, std::size_t size);
  void* context;
};

/// Writes a record for each file below `directory` that a pattern of the order matches:
///
///   'C' u32 name bytes, u32 content bytes, name, content
///   'N' u32 name bytes, u32 errno, name
///
/// 'N' is one that is not taken: ELOOP a symbolic link, EISDIR a directory that was asked for by
/// its name, EINVAL anything else that is no regular file, EFBIG beyond what is left of bytes_max,
/// EMFILE the first beyond files_max, which ends it, EBUSY it changed while it was read, EXDEV it
/// is mounted there, EACCES, EIO and so on as the kernel says. An 'N' of the file of the last 'C'
/// takes that back. Directories that can't be searched have one too (ENAMETOOLONG: too deep; E2BIG:
/// more entries or patterns than there is time for, which ends it). Numbers are little-endian.
///
/// Whoever has the tree may change it meanwhile: no link is followed, nothing but regular files is
/// read, and time, memory and descriptors are bounded by constants (collect.cc) and the order, not
/// by the tree. Calls nothing of libc. 0, or -errno of the sink, or -ENOMEM.
long Collect(int directory, const CollectOrder& order, const CollectSink& sink);

/// By scriptd-init, when nothing else is left in its namespace: reads the order that the worker may
/// have sent to `status_fd`, without waiting for one, and writes there the records of the files
/// below the work directory. Without a complete and valid order it writes nothing. What can't be
/// written the worker finds missing: it is told of nothing else.
void CollectFiles(int status_fd);

}  // namespace scriptd::sandbox
