#include "root_templates.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstddef>
#include <system_error>
#include <thread>
#include <utility>

#include "inside/mounts.h"
#include "quiet_thread.h"
#include "system_error.h"

namespace scriptd::sandbox {
namespace {

/// A worker has one; tests have more.
constexpr std::size_t kTemplatesMax = 4;
constexpr std::chrono::seconds kRecheck{1};

/// In a thread of its own, which ends in the namespace. Empty when it can't be had.
Descriptor BuildHere(const Pages<ReadOnly>& paths) {
  // The thread's working directory, root and umask are its own then, too.
  if (unshare(CLONE_NEWNS) != 0) return {};
  // There is no /proc in it later.
  Descriptor mounts(open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!mounts) return {};
  umask(0);
  if (BuildTemplate(paths)) return {};
  // As a run will do: it needs more capabilities than what was done until here.
  if (setns(mounts.get(), CLONE_NEWNS) != 0) return {};
  try {
    return AboveStandardStreams(std::move(mounts));
  } catch (const SystemError&) {
    return {};
  }
}

Descriptor Build(const Pages<ReadOnly>& paths) {
  Descriptor mounts;
  try {
    StartQuietly([&] { mounts = BuildHere(paths); }).join();
  } catch (const std::system_error&) {
    return {};  // no more threads at the moment
  }
  return mounts;
}

}  // namespace

std::vector<RootTemplates::Source> RootTemplates::SourcesOf(const Pages<ReadOnly>& paths) {
  std::vector<Source> sources;
  sources.reserve(paths.size());
  for (const ReadOnly& path : paths) {
    struct statx file {};
    const int flags = FollowsLink(path) ? 0 : AT_SYMLINK_NOFOLLOW;
    if (statx(AT_FDCWD, path.source, flags, STATX_INO | STATX_MNT_ID, &file) != 0) file = {};
    sources.push_back(
        {makedev(file.stx_dev_major, file.stx_dev_minor), file.stx_ino, file.stx_mnt_id});
  }
  return sources;
}

RootTemplates::Template RootTemplates::Make(const std::vector<std::uint8_t>& read_only) {
  Template made{read_only, {}, Clock::now(), {}};
  Pages<ReadOnly> paths;
  if (ParseReadOnly(read_only.data(), read_only.size(), paths) < 0) return made;
  // Before it is built: what is replaced meanwhile is noticed later.
  made.sources = SourcesOf(paths);
  if (FitTemplate(paths)) made.mounts = Build(paths);
  return made;
}

void RootTemplates::Renew(Template& known) {
  known.checked_at = Clock::now();
  Pages<ReadOnly> paths;
  if (ParseReadOnly(known.read_only.data(), known.read_only.size(), paths) < 0) return;
  if (known.mounts && SourcesOf(paths) == known.sources) return;
  known = Make(known.read_only);
}

int RootTemplates::For(const std::vector<std::uint8_t>& read_only) {
  for (Template& known : templates_) {
    if (known.read_only != read_only) continue;
    if (Clock::now() - known.checked_at >= kRecheck) Renew(known);
    return known.mounts.get();
  }
  if (templates_.size() == kTemplatesMax) templates_.erase(templates_.begin());
  return templates_.emplace_back(Make(read_only)).mounts.get();
}

}  // namespace scriptd::sandbox
