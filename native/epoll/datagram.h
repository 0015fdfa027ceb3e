#pragma once

#include <string>
#include <string_view>

namespace scriptd {

/// Sends one datagram to a Unix socket: a path, or `@name` for the abstract one of that name. Waits
/// for at most a second where the receiver's queue is full.
///
/// @throws SystemError ENOENT, ECONNREFUSED, EAGAIN (the queue stayed full), EMSGSIZE,
///   ENAMETOOLONG, EINVAL
void SendDatagram(const std::string& address, std::string_view bytes);

}  // namespace scriptd
