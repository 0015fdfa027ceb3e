#include "socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "fd.h"
#include "system_error.h"

namespace scriptd {
namespace {

template <typename T>
int SetOption(int fd, int level, int option, T value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

int GetIntOption(int fd, int level, int option, int& value) {
  socklen_t length = sizeof value;
  return getsockopt(fd, level, option, &value, &length) == 0 ? 0 : -errno;
}

}  // namespace

SocketAddress SocketAddress::Unix(const std::string& path) {
  SocketAddress address;
  auto* const un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.empty() || path.find('\0') != std::string::npos) ThrowErrno("bind", EINVAL);
  if (path.size() >= sizeof un->sun_path) ThrowErrno("bind", ENAMETOOLONG);
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.data(), path.size());
  address.length = sizeof(sockaddr_un);
  return address;
}

SocketAddress SocketAddress::Abstract(const std::string& name) {
  SocketAddress address;
  auto* const un = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (name.empty() || name.find('\0') != std::string::npos) ThrowErrno("bind", EINVAL);
  if (name.size() >= sizeof un->sun_path) ThrowErrno("bind", ENAMETOOLONG);
  un->sun_family = AF_UNIX;
  // A leading NUL, and no other byte than those of the name: each would be part of it.
  std::memcpy(un->sun_path + 1, name.data(), name.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return address;
}

SocketAddress SocketAddress::Tcp(const std::string& ip, uint16_t port) {
  SocketAddress address;
  auto* const in4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const in6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, ip.c_str(), &in4->sin_addr) == 1) {
    in4->sin_family = AF_INET;
    in4->sin_port = htons(port);
    address.length = sizeof(sockaddr_in);
  } else if (inet_pton(AF_INET6, ip.c_str(), &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    in6->sin6_flowinfo = 0;
    address.length = sizeof(sockaddr_in6);
  } else {
    ThrowErrno("inet_pton", EINVAL);
  }
  return address;
}

Fd OpenSocket(int family) {
  return Fd(Check(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
}

Fd Connect(const SocketAddress& address) {
  Fd fd = OpenSocket(address.family());
  if (connect(fd.get(), address.get(), address.length) < 0 && errno != EINPROGRESS) {
    ThrowErrno("connect");
  }
  return fd;
}

Fd ListenTcp(const SocketAddress& address, int backlog) {
  Fd fd = OpenSocket(address.family());
  const int reused = SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (reused < 0) ThrowErrno("setsockopt", -reused);
  Check(bind(fd.get(), address.get(), address.length), "bind");
  Check(listen(fd.get(), backlog), "listen");
  return fd;
}

TcpListener DescribeTcpListener(int fd) {
  Check(fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl");
  int type = 0;
  int listening = 0;
  for (const int result : {GetIntOption(fd, SOL_SOCKET, SO_TYPE, type),
                           GetIntOption(fd, SOL_SOCKET, SO_ACCEPTCONN, listening)}) {
    if (result < 0) ThrowErrno("getsockopt", -result);
  }
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  Check(getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length), "getsockname");
  const int family = storage.ss_family;
  if (type != SOCK_STREAM || listening == 0 || (family != AF_INET && family != AF_INET6)) {
    ThrowErrno("getsockname", EOPNOTSUPP);
  }
  const auto* const in4 = reinterpret_cast<const sockaddr_in*>(&storage);
  const auto* const in6 = reinterpret_cast<const sockaddr_in6*>(&storage);
  const void* const ip = family == AF_INET ? static_cast<const void*>(&in4->sin_addr)
                                           : static_cast<const void*>(&in6->sin6_addr);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(family, ip, text.data(), text.size()) == nullptr) ThrowErrno("inet_ntop");
  return {.host = text.data(), .port = static_cast<uint16_t>(LocalPort(fd))};
}

int Accept(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return fd >= 0 ? fd : -errno;
}

int SocketError(int fd) {
  int error = 0;
  const int result = GetIntOption(fd, SOL_SOCKET, SO_ERROR, error);
  return result < 0 ? result : error;
}

int LocalPort(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) < 0) return -errno;
  switch (storage.ss_family) {
    case AF_INET:
      return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
    case AF_INET6:
      return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
    default:
      return -EOPNOTSUPP;
  }
}

int ShutdownWrite(int fd) { return shutdown(fd, SHUT_WR) == 0 ? 0 : -errno; }

int SetNoDelay(int fd, bool on) { return SetOption(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0); }

int SetUserTimeout(int fd, uint32_t timeout_ms) {
  return SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ms);
}

int SetKeepAlive(int fd, const KeepAlive& keep_alive) {
  int result = SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, keep_alive.idle_seconds);
  if (result == 0) result = SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, keep_alive.interval_seconds);
  if (result == 0) result = SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, keep_alive.probes);
  if (result == 0) result = SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  return result;
}

int GetPeerCredentials(int fd, PeerCredentials& credentials) {
  int domain = 0;
  const int result = GetIntOption(fd, SOL_SOCKET, SO_DOMAIN, domain);
  if (result < 0) return result;
  if (domain != AF_UNIX) return -EOPNOTSUPP;
  ucred peer{};
  socklen_t length = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
  credentials = {.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
  return 0;
}

}  // namespace scriptd
