#include "datagram.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <string>
#include <string_view>

#include "fd.h"
#include "socket.h"
#include "system_error.h"

namespace scriptd {
namespace {

constexpr timeval kSendTimeout{.tv_sec = 1, .tv_usec = 0};

}  // namespace

void SendDatagram(const std::string& address, std::string_view bytes) {
  const SocketAddress to = address.starts_with('@') ? SocketAddress::Abstract(address.substr(1))
                                                    : SocketAddress::Unix(address);
  const Fd fd(Check(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  Check(setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof kSendTimeout),
        "setsockopt");
  // All or nothing: a datagram is not split.
  if (sendto(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, to.get(), to.length) < 0) {
    ThrowErrno("sendto");
  }
}

}  // namespace scriptd
