#include "landlock.h"

#include <fcntl.h>
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
  if (version >= 3) return kThirdVersion;
  return version == 2 ? kSecondVersion : kFirstVersion;
}

long Allow(long ruleset, const char* path, std::uint64_t rights) {
  const long directory = RawSyscall(SYS_openat, AT_FDCWD, Address(path), O_PATH | O_CLOEXEC, 0);
  if (directory < 0) return directory;
  const PathBeneath rule{rights, static_cast<std::int32_t>(directory)};
  const long result = RawSyscall(kAddRule, ruleset, kRulePathBeneath, Address(&rule), 0);
  RawSyscall(SYS_close, directory);
  return result;
}

}  // namespace

long LandlockVersion() { return RawSyscall(kCreateRuleset, 0, 0, kVersionFlag); }

long MakeRuleset() {
  const long version = LandlockVersion();
  if (version < 0) return version;
  const Attributes attributes{Handled(version), 0, version >= kVersionWithScopes ? kScopes : 0};
  // An older kernel refuses a longer structure only if what it doesn't know isn't zero.
  const long ruleset = RawSyscall(kCreateRuleset, Address(&attributes), sizeof(attributes), 0);
  if (ruleset < 0) return ruleset;
  const std::uint64_t all = attributes.files;
  const struct {
    const char* path;
    std::uint64_t rights;
  } rules[] = {{"/", kExecute | kReadFile | kReadDirectory},
               {"/dev", (kWriteFile | kTruncate | kDeviceIoctl) & all},
               {"/dev/shm", all},
               {"/tmp", all},
               {"/work", all}};
  for (const auto& rule : rules) {
    const long result = Allow(ruleset, rule.path, rule.rights);
    if (result >= 0) continue;
    RawSyscall(SYS_close, ruleset);
    return result;
  }
  return ruleset;
}

long RestrictTo(long ruleset) { return RawSyscall(kRestrictSelf, ruleset, 0); }

}  // namespace scriptd::sandbox
