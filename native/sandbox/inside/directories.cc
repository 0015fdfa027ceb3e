#include "directories.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

constexpr long kDirectoryMode = 0755;

long MakeOne(const char* path, uid_t uid, gid_t gid) {
  const long result = RawSyscall(SYS_mkdirat, AT_FDCWD, Address(path), kDirectoryMode);
  if (result < 0 || uid == 0) return result;
  return RawSyscall(SYS_fchownat, AT_FDCWD, Address(path), uid, gid, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

long MakeParents(const char* path, uid_t uid, gid_t gid) {
  char parent[PATH_MAX];
  for (std::size_t i = 0; path[i] != '\0'; ++i) {
    if (i + 1 == sizeof(parent)) return -ENAMETOOLONG;
    if (path[i] == '/') {
      parent[i] = '\0';
      const long result = MakeOne(parent, uid, gid);
      if (result < 0 && result != -EEXIST) return result;
    }
    parent[i] = path[i];
  }
  return 0;
}

long MakeDirectory(const char* path, uid_t uid, gid_t gid) {
  long result = MakeOne(path, uid, gid);
  if (result == -ENOENT) {
    result = MakeParents(path, uid, gid);
    if (result >= 0) result = MakeOne(path, uid, gid);
  }
  return result == -EEXIST ? 0 : result;
}

}  // namespace scriptd::sandbox
