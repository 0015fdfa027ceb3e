#include "mounts.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "directories.h"
#include "raw_syscall.h"
#include "text.h"

namespace scriptd::sandbox {
namespace {

// While the new root is built it is the working directory, and relative paths name what is in it;
// absolute ones name what is on the host.

constexpr uid_t kRoot = 0;
constexpr char kRootMode[] = "755";

long Mount(const char* source, const char* target, const char* type, unsigned long flags,
           const char* options) {
  return RawSyscall(SYS_mount, Address(source), Address(target), Address(type),
                    static_cast<long>(flags), Address(options));
}

long SetAttributes(const char* path, long flags, std::uint64_t attributes) {
  mount_attr attr{};
  attr.attr_set = attributes;
  return RawSyscall(SYS_mount_setattr, AT_FDCWD, Address(path), flags, Address(&attr),
                    sizeof(attr));
}

/// A new file system over the host's root. Nothing is hidden by it, since our own root stays what
/// is below, and no directory of the host is needed as a place for it.
long MountRoot() {
  const long context = RawSyscall(SYS_fsopen, Address("tmpfs"), FSOPEN_CLOEXEC);
  if (context < 0) return context;
  long result = RawSyscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, Address("mode"),
                           Address(kRootMode), 0);
  if (result >= 0) result = RawSyscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
  if (result >= 0) {
    result = RawSyscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID);
  }
  const long root = result;
  if (result >= 0) {
    result = RawSyscall(SYS_move_mount, root, Address(""), AT_FDCWD, Address("/"),
                        MOVE_MOUNT_F_EMPTY_PATH);
  }
  return result < 0 ? result : RawSyscall(SYS_fchdir, root);
}

long CopyLink(const char* path, const char* target) {
  char destination[PATH_MAX] = {};
  const long length = RawSyscall(SYS_readlinkat, AT_FDCWD, Address(path), Address(destination),
                                 sizeof(destination) - 1);
  if (length < 0) return length;
  destination[length] = '\0';
  const long result = RawSyscall(SYS_symlinkat, Address(destination), AT_FDCWD, Address(target));
  return result == -EEXIST ? 0 : result;
}

long MakeEmptyFile(const char* path) {
  const long result = RawSyscall(SYS_mknodat, AT_FDCWD, Address(path), S_IFREG | 0644, 0);
  return result == -EEXIST ? 0 : result;
}

bool AreEqual(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return *a == *b;
}

/// "tmp" and "tmp/a" are, "tmpa" is not.
bool IsAtOrBelow(const char* path, const char* place) {
  while (*place != '\0' && *path == *place) path++, place++;
  return *place == '\0' && (*path == '\0' || *path == '/');
}

/// A path of the host in the new root, with all that is mounted below it. A link that stays where
/// it was is made anew; elsewhere it would lead to nothing, so there it is followed.
long AddReadOnly(const ReadOnly& path) {
  const char* target = path.target + 1;
  const long flags = FollowsLink(path) ? 0 : AT_SYMLINK_NOFOLLOW;
  struct statx status {};
  long result =
      RawSyscall(SYS_statx, AT_FDCWD, Address(path.source), flags, STATX_TYPE, Address(&status));
  if (result < 0) return result;
  const bool is_directory = S_ISDIR(status.stx_mode);
  if (is_directory) {
    result = MakeDirectory(target, kRoot, kRoot);
  } else {
    result = MakeParents(target, kRoot, kRoot);
    if (result < 0) return result;
    if (S_ISLNK(status.stx_mode)) return CopyLink(path.source, target);
    if (!S_ISREG(status.stx_mode)) return -EINVAL;  // a device or socket is no view of files
    result = MakeEmptyFile(target);
  }
  if (result >= 0) result = Mount(path.source, target, nullptr, MS_BIND | MS_REC, nullptr);
  if (result < 0) return result;
  return SetAttributes(target, is_directory ? AT_RECURSIVE : 0,
                       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

Failure AddReadOnlyPaths(const Pages<ReadOnly>& paths) {
  for (const ReadOnly& path : paths) {
    const long result = AddReadOnly(path);
    if (result < 0) return Outcome("read-only", result, path.source);
  }
  return {};
}

struct Device {
  const char* path;  // with the leading slash it is the host's
  unsigned minor;    // of the memory devices, see Documentation/admin-guide/devices.txt
};

constexpr unsigned kMemoryDevices = 1;
constexpr Device kDevices[] = {
    {"/dev/null", 3}, {"/dev/zero", 5}, {"/dev/full", 7}, {"/dev/random", 8}, {"/dev/urandom", 9}};

struct Link {
  const char* target;
  const char* path;
};

constexpr Link kDeviceLinks[] = {{"/proc/self/fd", "dev/fd"},
                                 {"/proc/self/fd/0", "dev/stdin"},
                                 {"/proc/self/fd/1", "dev/stdout"},
                                 {"/proc/self/fd/2", "dev/stderr"}};

/// Root makes the node; where that isn't allowed (a user namespace, a devices cgroup) the host's is
/// mounted, which takes longer.
long AddDevice(const Device& device) {
  const char* target = device.path + 1;
  const long result = RawSyscall(SYS_mknodat, AT_FDCWD, Address(target), S_IFCHR | 0666,
                                 static_cast<long>(makedev(kMemoryDevices, device.minor)));
  if (result != -EPERM) return result;
  const long made = MakeEmptyFile(target);
  return made < 0 ? made : Mount(device.path, target, nullptr, MS_BIND, nullptr);
}

Failure AddDevices() {
  const long result = MakeDirectory("dev", kRoot, kRoot);
  if (result < 0) return Outcome("devices", result, "/dev");
  for (const Device& device : kDevices) {
    const long added = AddDevice(device);
    if (added < 0) return Outcome("devices", added, device.path);
  }
  for (const Link& link : kDeviceLinks) {
    const long added =
        RawSyscall(SYS_symlinkat, Address(link.target), AT_FDCWD, Address(link.path));
    if (added < 0) return Outcome("devices", added, link.path);
  }
  return {};
}

// What each run has of its own is mounted here.
constexpr const char* kPlaces[] = {"work", "tmp", "dev/shm", "proc"};

Failure AddPlaces() {
  for (const char* place : kPlaces) {
    const long result = MakeDirectory(place, kRoot, kRoot);
    if (result < 0) return Outcome("root", result, place);
  }
  return {};
}

/// See tmpfs(5). The kernel takes 0 for "no limit", so the least that it can limit is given
/// instead.
long AddTmpfs(const char* target, const char* mode, const Capacity& capacity,
              const InsidePlan& plan) {
  Text<160> options;
  options << "mode=" << mode << ",size=" << (capacity.bytes == 0 ? 1 : capacity.bytes)
          << ",nr_inodes=" << (capacity.inodes == 0 ? 1 : capacity.inodes) << ",uid=" << plan.uid
          << ",gid=" << plan.gid;
  return Mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options.c_str());
}

Failure AddWritable(const InsidePlan& plan) {
  const struct {
    const char* target;
    const char* mode;
    const Capacity& capacity;
  } all[] = {{"work", "700", plan.work}, {"tmp", "1777", plan.tmp}, {"dev/shm", "1777", plan.shm}};
  for (const auto& one : all) {
    const long result = AddTmpfs(one.target, one.mode, one.capacity, plan);
    if (result < 0) return Outcome("tmpfs", result, one.target);
  }
  return {};
}

// What proc shows of the whole machine, and to more than root or at a price.
constexpr const char* kMasked[] = {"proc/kcore", "proc/keys", "proc/latency_stats",
                                   "proc/sysrq-trigger", "proc/timer_list"};

/// Read-only as a whole, so that nothing below /proc/sys, /proc/irq and the like can be written, by
/// whatever identity.
Failure AddProc() {
  long result =
      Mount("proc", "proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  if (result < 0) return Outcome("proc", result, "/proc");
  for (const char* path : kMasked) {
    result = Mount("dev/null", path, nullptr, MS_BIND, nullptr);
    if (result < 0 && result != -ENOENT) return Outcome("proc", result, path);
  }
  return {};
}

/// pivot_root(".", ".") puts the old root over the new one; it is then taken away. See
/// pivot_root(2). The file system of the new one can't be written to any more, through whatever
/// mount.
Failure LeaveHost() {
  long result = RawSyscall(SYS_pivot_root, Address("."), Address("."));
  if (result >= 0) result = RawSyscall(SYS_umount2, Address("."), MNT_DETACH);
  if (result >= 0) {
    result = Mount(nullptr, ".", nullptr, MS_REMOUNT | MS_RDONLY | MS_NOSUID, nullptr);
  }
  return Outcome("pivot_root", result);
}

/// As the working directory; nothing is mounted in it yet.
Failure BeginRoot() {
  long result = Mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (result < 0) return Outcome("mount-namespace", result);
  result = MountRoot();
  if (result < 0) return Outcome("root", result);
  const Failure failure = AddDevices();
  return failure ? failure : AddPlaces();
}

Failure BuildRoot(const InsidePlan& plan) {
  if (const Failure failure = BeginRoot()) return failure;
  if (const Failure failure = AddWritable(plan)) return failure;
  // After these: an interpreter may live below /tmp.
  if (const Failure failure = AddReadOnlyPaths(plan.read_only)) return failure;
  if (const Failure failure = AddProc()) return failure;
  return LeaveHost();
}

/// setns makes the root of the namespace the working directory.
Failure CopyRoot(const InsidePlan& plan, int mounts) {
  long result = RawSyscall(SYS_setns, mounts, CLONE_NEWNS);
  if (result >= 0) result = RawSyscall(SYS_unshare, CLONE_NEWNS);
  if (result >= 0) result = RawSyscall(SYS_close, mounts);
  if (result < 0) return Outcome("mount-namespace", result);
  const Failure failure = AddWritable(plan);
  return failure ? failure : AddProc();
}

}  // namespace

Failure EnterOwnRoot(const InsidePlan& plan, int mounts) {
  const Failure failure = mounts < 0 ? BuildRoot(plan) : CopyRoot(plan, mounts);
  if (failure) return failure;
  return Outcome("root", RawSyscall(SYS_chdir, Address(kWorkDirectory)), kWorkDirectory);
}

Failure BuildTemplate(const Pages<ReadOnly>& paths) {
  if (const Failure failure = BeginRoot()) return failure;
  if (const Failure failure = AddReadOnlyPaths(paths)) return failure;
  return LeaveHost();
}

bool FitTemplate(const Pages<ReadOnly>& paths) {
  for (const ReadOnly& path : paths) {
    for (const char* place : kPlaces) {
      if (IsAtOrBelow(path.target + 1, place)) return false;
    }
  }
  return true;
}

bool FollowsLink(const ReadOnly& path) { return !AreEqual(path.source, path.target); }

}  // namespace scriptd::sandbox
