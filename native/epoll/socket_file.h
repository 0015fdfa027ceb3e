#pragma once

#include <sys/types.h>

#include <string>

#include "fd.h"

namespace scriptd {

/// The file of a listening Unix socket. Removed on destruction, if it is still the one we made.
class SocketFile {
 public:
  /// Binds and listens. The file has `mode` before anybody can connect. A socket file on which
  /// nobody answers is replaced; starters are kept apart by a lock on the folder, so that none
  /// takes a file away that another has just bound.
  /// @throws SystemError EADDRINUSE when somebody listens there or it is not a socket
  static SocketFile Listen(const std::string& path, mode_t mode, int backlog, Fd& listener);

  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile();

 private:
  SocketFile(std::string path, dev_t device, ino_t inode);

  std::string path_;  // empty: moved from
  dev_t device_;
  ino_t inode_;
};

}  // namespace scriptd
