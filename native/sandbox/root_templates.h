#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "descriptor.h"
#include "inside/inside_plan.h"

namespace scriptd::sandbox {

/// Mount namespaces that have what the roots of all runs with the same read-only paths have in
/// common (`BuildTemplate` in inside/mounts.h), made once: a run copies it instead of building its
/// own. They hold nothing that a script can write to, and live as long as this.
///
/// A path whose source was replaced or mounted over is noticed within a second: then another is
/// made. What was mounted *below* a source since is not seen.
class RootTemplates {
 public:
  RootTemplates() = default;
  RootTemplates(const RootTemplates&) = delete;
  RootTemplates& operator=(const RootTemplates&) = delete;

  /// One for these paths, as in a plan (inside/inside_plan.h). It stays ours, until the next call.
  /// -1 when there is none, for whatever reason: a run that builds its own root will say why.
  int For(const std::vector<std::uint8_t>& read_only);

 private:
  using Clock = std::chrono::steady_clock;

  /// Which file it is that a path leads to, and through which mount.
  struct Source {
    std::uint64_t device;
    std::uint64_t inode;
    std::uint64_t mount;

    bool operator==(const Source&) const = default;
  };

  struct Template {
    std::vector<std::uint8_t> read_only;
    std::vector<Source> sources;
    Clock::time_point checked_at;
    Descriptor mounts;  // empty when it can't be had
  };

  static std::vector<Source> SourcesOf(const Pages<ReadOnly>& paths);
  static Template Make(const std::vector<std::uint8_t>& read_only);
  static void Renew(Template& known);

  std::vector<Template> templates_;  // the oldest first
};

}  // namespace scriptd::sandbox
