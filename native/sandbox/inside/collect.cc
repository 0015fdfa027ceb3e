#include "collect.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <new>

#include "collect_file.h"
#include "mounts.h"
#include "pages.h"
#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

// A tree of 100,000 files is searched in half a second; one beyond these is given up.
constexpr std::uint32_t kEntriesMax = 200'000;
constexpr std::uint64_t kComparisonsMax = 1ULL << 27;
constexpr std::size_t kDepthMax = 64;  // also how many descriptors are open at once
constexpr std::size_t kListBytes = 4096;

/// A directory on the way from the top to where the walk is.
struct Level {
  int fd;
  std::size_t path_size;   // of what leads to it, with the slash
  PatternStates states;    // where the patterns are in it
  std::size_t next_state;  // whose literal comes next; the names that are listed come after them
  std::size_t list_size;
  std::size_t list_next;
  alignas(dirent64) char list[kListBytes];
};

/// All that the walk needs, in pages of its own.
class Walk {
 public:
  void Run(int directory, const CollectOrder& order, CollectRecords& records) {
    patterns_ = &order.patterns;
    records_ = &records;
    const long fd = OpenBeneath(directory, ".", O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
      records.NotTaken(".", fd);
      return;
    }
    Enter(static_cast<int>(fd), 0, order.patterns.Start());
    while (depth_ > 0) {
      if (records.ended() || !VisitNext(Top())) Leave();
    }
  }

 private:
  Level& Top() { return levels_[depth_ - 1]; }
  std::string_view Path(std::size_t size) const { return {path_, size}; }

  void Enter(int fd, std::size_t path_size, const PatternStates& states) {
    Level& level = levels_[depth_++];
    level.fd = fd;
    level.path_size = path_size;
    level.states = states;
    level.next_state = 0;
    level.list_size = 0;
    level.list_next = 0;
  }

  void Leave() { RawSyscall(SYS_close, levels_[--depth_].fd); }

  /// False when nothing is left to be looked at in the level. What is asked for by its name is
  /// found also among more names than are listed.
  bool VisitNext(Level& level) {
    if (IsTooMuch(level)) return false;
    for (; level.next_state < patterns_->size(); ++level.next_state) {
      const std::string_view name = patterns_->LiteralAt(level.next_state);
      if (name.empty() || !level.states.Has(level.next_state)) continue;
      if (IsLiteral(level, name, level.next_state)) continue;
      level.next_state++;
      Visit(level, name, DT_UNKNOWN);
      return true;
    }
    return patterns_->NeedsListing(level.states) && VisitListed(level);
  }

  /// Whether one of the states before `end` has that literal: it was visited then.
  bool IsLiteral(const Level& level, std::string_view name, std::size_t end) {
    for (std::size_t state = 0; state < end; ++state) {
      if (!level.states.Has(state)) continue;
      if (SameText(patterns_->LiteralAt(state), name, comparisons_)) return true;
    }
    return false;
  }

  /// Then the search is over.
  bool IsTooMuch(const Level& level) {
    if (entries_ <= kEntriesMax && comparisons_ <= kComparisonsMax) return false;
    NotSearched(level.path_size, -E2BIG);
    records_->End();
    return true;
  }

  bool VisitListed(Level& level) {
    if (level.list_next == level.list_size) {
      const long bytes =
          RawSyscall(SYS_getdents64, level.fd, Address(level.list), sizeof(level.list));
      if (bytes < 0) NotSearched(level.path_size, bytes);
      if (bytes <= 0) return false;
      level.list_size = static_cast<std::size_t>(bytes);
      level.list_next = 0;
    }
    const auto* entry = reinterpret_cast<const dirent64*>(level.list + level.list_next);
    level.list_next += entry->d_reclen;
    entries_++;
    if (IsTooMuch(level)) return false;
    std::size_t size = 0;
    while (entry->d_name[size] != '\0') size++;
    const std::string_view name(entry->d_name, size);
    if (SameText(name, ".") || SameText(name, "..")) return true;
    if (!IsLiteral(level, name, patterns_->size())) Visit(level, name, entry->d_type);
    return true;
  }

  /// `type` is DT_*, where it is known.
  void Visit(const Level& level, std::string_view name, unsigned char type) {
    const PatternStep step = patterns_->Step(level.states, name, comparisons_);
    const bool directory = type == DT_UNKNOWN || type == DT_DIR;
    if (!step.accepts && !step.named_below && !(step.descends && directory)) return;
    // With the slash and a NUL after it.
    if (level.path_size + name.size() + 2 > sizeof(path_)) {
      NotSearched(level.path_size, -ENAMETOOLONG);
      return;
    }
    for (std::size_t i = 0; i < name.size(); ++i) path_[level.path_size + i] = name[i];
    const std::size_t path_size = level.path_size + name.size();
    path_[path_size] = '\0';
    struct stat file {};
    const long result = RawSyscall(SYS_newfstatat, level.fd, Address(path_ + level.path_size),
                                   Address(&file), AT_SYMLINK_NOFOLLOW);
    if (result == -ENOENT) return;
    if (result < 0) {
      records_->NotTaken(Path(path_size), result);
    } else if (S_ISDIR(file.st_mode)) {
      VisitDirectory(level, path_size, step);
    } else if (step.accepts || step.named_below) {
      VisitFile(level, path_size, step, file.st_mode);
    }
  }

  void VisitDirectory(const Level& level, std::size_t path_size, const PatternStep& step) {
    if (!step.descends) {
      if (step.named) records_->NotTaken(Path(path_size), -EISDIR);
      return;
    }
    long fd = -ENAMETOOLONG;
    if (depth_ < kDepthMax) {
      fd = OpenBeneath(level.fd, path_ + level.path_size, O_RDONLY | O_DIRECTORY);
    }
    if (fd < 0) {
      records_->NotTaken(Path(path_size), fd);
      return;
    }
    path_[path_size] = '/';
    Enter(static_cast<int>(fd), path_size + 1, step.states);
  }

  void VisitFile(const Level& level, std::size_t path_size, const PatternStep& step, mode_t mode) {
    if (S_ISLNK(mode)) {
      records_->NotTaken(Path(path_size), -ELOOP);
    } else if (!step.accepts) {
      records_->NotTaken(Path(path_size), -ENOTDIR);
    } else if (!S_ISREG(mode)) {
      records_->NotTaken(Path(path_size), -EINVAL);
    } else {
      records_->Take(level.fd, path_ + level.path_size, Path(path_size));
    }
  }

  void NotSearched(std::size_t path_size, long error) {
    records_->NotTaken(path_size == 0 ? std::string_view(".") : Path(path_size - 1), error);
  }

  const PatternSet* patterns_;
  CollectRecords* records_;
  std::size_t depth_;
  std::uint32_t entries_;
  std::uint64_t comparisons_;
  char path_[PATH_MAX];
  Level levels_[kDepthMax];
};

long SendAll(void* context, const void* bytes, std::size_t size) {
  const int fd = *static_cast<const int*>(context);
  const auto* next = static_cast<const char*>(bytes);
  while (size > 0) {
    const long sent =
        RawSyscall(SYS_sendto, fd, Address(next), static_cast<long>(size), MSG_NOSIGNAL, 0, 0);
    if (sent < 0 && sent != -EINTR) return sent;
    if (sent <= 0) continue;
    next += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return 0;
}

/// Only what is there already.
bool ReceiveAll(int fd, std::uint8_t* bytes, std::size_t size) {
  while (size > 0) {
    const long received =
        RawSyscall(SYS_recvfrom, fd, Address(bytes), static_cast<long>(size), MSG_DONTWAIT, 0, 0);
    if (received == -EINTR) continue;
    if (received <= 0) return false;
    bytes += received;
    size -= static_cast<std::size_t>(received);
  }
  return true;
}

/// The size of the order that was received into `bytes`, or 0.
std::size_t ReceiveOrder(int fd, std::uint8_t* bytes) {
  std::uint8_t prefix[4] = {};
  if (!ReceiveAll(fd, prefix, sizeof(prefix))) return 0;
  std::size_t size = 0;
  for (std::size_t i = sizeof(prefix); i-- > 0;) size = size << 8 | prefix[i];
  return size <= kOrderBytesMax && ReceiveAll(fd, bytes, size) ? size : 0;
}

}  // namespace

long Collect(int directory, const CollectOrder& order, const CollectSink& sink) {
  Pages<Walk> walk;
  Pages<CollectRecords> records;
  long result = walk.Allocate(1);
  if (result >= 0) result = records.Allocate(1);
  if (result < 0) return result;
  new (records.begin()) CollectRecords(order, sink);
  walk[0].Run(directory, order, records[0]);
  return records[0].error();
}

void CollectFiles(int status_fd) {
  Pages<std::uint8_t> bytes;
  Pages<CollectOrder> order;
  if (bytes.Allocate(kOrderBytesMax) < 0 || order.Allocate(1) < 0) return;
  const std::size_t size = ReceiveOrder(status_fd, bytes.begin());
  if (size == 0 || ParseOrder(bytes.begin(), size, order[0]) < 0) return;
  const long directory = RawSyscall(SYS_openat, AT_FDCWD, Address(kWorkDirectory),
                                    O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  if (directory < 0) return;
  Collect(static_cast<int>(directory), order[0], {SendAll, &status_fd});
  RawSyscall(SYS_close, directory);
}

}  // namespace scriptd::sandbox
