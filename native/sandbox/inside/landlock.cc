#include "landlock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

// From linux/landlock.h, whose installed version may be older than the kernel that runs.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr long kVersionFlag = 1;
constexpr long kRulePathBeneath = 1;

constexpr std::uint64_t kExecute = 1 << 0;
constexpr std::uint64_t kWriteFile = 1 << 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kReadDirectory = 1 << 3;
constexpr std::uint64_t kTruncate = 1 << 14;
constexpr std::uint64_t kDeviceIoctl = 1 << 15;
constexpr std::uint64_t kReadOnly = kExecute | kReadFile | kReadDirectory;
constexpr std::uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceIoctl;

// All that a version of the interface can handle: each adds to the one before.
constexpr std::uint64_t kFirstVersion = (1 << 13) - 1;
constexpr std::uint64_t kSecondVersion = (1 << 14) - 1;  // with rename between directories
constexpr std::uint64_t kThirdVersion = (1 << 15) - 1;   // with truncate
constexpr std::uint64_t kFifthVersion = (1 << 16) - 1;   // with ioctl on devices
constexpr std::uint64_t kScopes = 3;                     // abstract sockets and signals
constexpr long kVersionWithScopes = 6;

struct Attributes {
  std::uint64_t files;
  std::uint64_t network;
  std::uint64_t scopes;
};

struct [[gnu::packed]] PathBeneath {
  std::uint64_t allowed;
  std::int32_t parent;
};

std::uint64_t Handled(long version) {
  if (version >= 5) return kFifthVersion;
  if (version >= kLandlockWithTruncate) return kThirdVersion;
  return version == 2 ? kSecondVersion : kFirstVersion;
}

/// The rights of directories don't go with anything else.
long RightsFor(long fd, std::uint64_t rights) {
  struct stat file {};
  const long result = RawSyscall(SYS_fstat, fd, Address(&file));
  if (result < 0) return result;
  return static_cast<long>(S_ISDIR(file.st_mode) ? rights : rights & kFileRights);
}

long Allow(long ruleset, const char* path, std::uint64_t rights) {
  const long fd = RawSyscall(SYS_openat, AT_FDCWD, Address(path), O_PATH | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  long result = RightsFor(fd, rights);
  if (result >= 0) {
    const PathBeneath rule{static_cast<std::uint64_t>(result), static_cast<std::int32_t>(fd)};
    result = RawSyscall(kAddRule, ruleset, kRulePathBeneath, Address(&rule), 0);
  }
  RawSyscall(SYS_close, fd);
  return result;
}

/// An empty ruleset: nothing is allowed yet. `all` becomes the rights that this kernel knows.
long CreateRuleset(std::uint64_t& all) {
  const long version = LandlockVersion();
  if (version < 0) return version;
  all = Handled(version);
  const Attributes attributes{all, 0, version >= kVersionWithScopes ? kScopes : 0};
  // An older kernel refuses a longer structure only if what it doesn't know isn't zero.
  return RawSyscall(kCreateRuleset, Address(&attributes), sizeof(attributes), 0);
}

struct Rule {
  const char* path;
  std::uint64_t rights;
};

/// The ruleset with one more rule, or -errno; it is closed then.
long With(long ruleset, const Rule& rule) {
  if (ruleset < 0) return ruleset;
  const long result = Allow(ruleset, rule.path, rule.rights);
  if (result >= 0) return ruleset;
  RawSyscall(SYS_close, ruleset);
  return result;
}

}  // namespace

long LandlockVersion() { return RawSyscall(kCreateRuleset, 0, 0, kVersionFlag); }

long MakeRuleset() {
  std::uint64_t all = 0;
  long ruleset = CreateRuleset(all);
  const Rule rules[] = {{"/", kReadOnly},
                        {"/dev", (kWriteFile | kTruncate | kDeviceIoctl) & all},
                        {"/dev/shm", all},
                        {"/tmp", all},
                        {"/work", all}};
  for (const Rule& rule : rules) ruleset = With(ruleset, rule);
  return ruleset;
}

long MakeRulesetOf(std::span<const char* const> read_only, std::span<const char* const> writable) {
  std::uint64_t all = 0;
  long ruleset = CreateRuleset(all);
  for (const char* path : read_only) ruleset = With(ruleset, {path, kReadOnly});
  for (const char* path : writable) ruleset = With(ruleset, {path, all});
  return ruleset;
}

SCRIPTD_CHILD_CODE long RestrictTo(long ruleset) { return RawSyscall(kRestrictSelf, ruleset, 0); }

}  // namespace scriptd::sandbox
