#include "socket_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "fd.h"
#include "socket.h"
#include "system_error.h"

namespace scriptd {
namespace {

// Starters hold the folder's lock for microseconds; a second means that something else holds it.
constexpr int kLockAttempts = 100;
constexpr std::chrono::milliseconds kLockPause{10};

Fd LockFolder(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const char* const folder = parent.empty() ? "." : parent.c_str();
  Fd fd(Check(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open"));
  for (int attempt = 0; attempt < kLockAttempts; ++attempt) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    if (errno != EWOULDBLOCK) ThrowErrno("flock");
    std::this_thread::sleep_for(kLockPause);
  }
  ThrowErrno("flock", EWOULDBLOCK);
}

/// True when `path` is a socket file that refuses connections: its listener is gone.
bool IsAbandoned(const std::string& path, const SocketAddress& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) < 0 || !S_ISSOCK(status.st_mode)) return false;
  const Fd probe = OpenSocket(address.family());
  return connect(probe.get(), address.get(), address.length) < 0 && errno == ECONNREFUSED;
}

}  // namespace

SocketFile SocketFile::Listen(const std::string& path, mode_t mode, int backlog, Fd& listener) {
  const SocketAddress address = SocketAddress::Unix(path);
  const Fd lock = LockFolder(path);
  Fd fd = OpenSocket(address.family());
  // The file takes its mode from the socket's inode, less the umask; umask(2) itself would change
  // it for every thread of the process.
  Check(fchmod(fd.get(), mode), "fchmod");
  if (bind(fd.get(), address.get(), address.length) < 0) {
    const int error = errno;
    if (error != EADDRINUSE || !IsAbandoned(path, address)) ThrowErrno("bind", error);
    Check(unlink(path.c_str()), "unlink");
    Check(bind(fd.get(), address.get(), address.length), "bind");
  }
  struct stat status {};
  Check(lstat(path.c_str(), &status), "lstat");
  SocketFile file(path, status.st_dev, status.st_ino);
  // What the umask took away comes back, while connections are still refused.
  Check(chmod(path.c_str(), mode), "chmod");
  Check(listen(fd.get(), backlog), "listen");
  listener = std::move(fd);
  return file;
}

SocketFile::SocketFile(std::string path, dev_t device, ino_t inode)
    : path_(std::move(path)), device_(device), inode_(inode) {}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}

SocketFile::~SocketFile() {
  if (path_.empty()) return;
  struct stat status {};
  if (lstat(path_.c_str(), &status) < 0) return;  // somebody removed it: nothing is left to do
  if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

}  // namespace scriptd
