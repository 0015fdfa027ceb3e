#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "fd.h"

namespace scriptd {

/// A socket's address as the kernel takes it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  /// @throws SystemError ENAMETOOLONG over 107 bytes, EINVAL when empty or with a NUL inside
  static SocketAddress Unix(const std::string& path);
  /// `ip` is a literal IPv4 or IPv6 address. @throws SystemError EINVAL when it is not
  static SocketAddress Tcp(const std::string& ip, uint16_t port);

  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

struct PeerCredentials {
  int pid;
  uint32_t uid;
  uint32_t gid;
};

/// Stream, close-on-exec, non-blocking. @throws SystemError
Fd OpenSocket(int family);

/// Starts a connection; it stands (or has failed, see SocketError) once the fd is writable.
/// @throws SystemError when it failed at once. EAGAIN: the Unix listener's backlog is full.
Fd Connect(const SocketAddress& address);

/// Listens on TCP with SO_REUSEADDR. @throws SystemError
Fd ListenTcp(const SocketAddress& address, int backlog);

/// The next connection, close-on-exec and non-blocking: its fd or -errno.
int Accept(int listener);

/// Takes the pending error (SO_ERROR) off the socket: 0 or a positive errno; -errno on failure.
int SocketError(int fd);

/// The port that the socket is bound to, or -errno.
int LocalPort(int fd);

/// Ends our direction (SHUT_WR). 0 or -errno.
int ShutdownWrite(int fd);

/// TCP_NODELAY. 0 or -errno (EOPNOTSUPP: not TCP).
int SetNoDelay(int fd, bool on);

/// TCP_USER_TIMEOUT: unacknowledged data closes the connection after so many milliseconds; 0 is
/// the kernel's default. 0 or -errno (EOPNOTSUPP: not TCP).
int SetUserTimeout(int fd, uint32_t timeout_ms);

/// Whether a quiet connection's peer is still there (tcp(7)).
struct KeepAlive {
  /// TCP_KEEPIDLE: quiet for so long, it is asked.
  uint32_t idle_seconds;
  /// TCP_KEEPINTVL: between two questions.
  uint32_t interval_seconds;
  /// TCP_KEEPCNT: so many without an answer close the connection (ETIMEDOUT).
  uint32_t probes;
};

/// SO_KEEPALIVE with these times. 0 or -errno (EOPNOTSUPP: not TCP).
int SetKeepAlive(int fd, const KeepAlive& keep_alive);

/// Who connected to this Unix socket, as of connect(2). 0 or -errno (EOPNOTSUPP: not Unix).
int GetPeerCredentials(int fd, PeerCredentials& credentials);

}  // namespace scriptd
