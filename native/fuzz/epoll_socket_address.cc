// Socket addresses from arbitrary paths and IP literals.

#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "socket.h"
#include "system_error.h"

using scriptd::SocketAddress;
using scriptd::SystemError;

namespace {

void CheckUnix(const std::string& path) {
  const bool valid = !path.empty() && path.size() < sizeof(sockaddr_un::sun_path) &&
                     path.find('\0') == std::string::npos;
  try {
    const SocketAddress address = SocketAddress::Unix(path);
    const auto* name = reinterpret_cast<const sockaddr_un*>(address.get());
    if (!valid || name->sun_family != AF_UNIX || path != name->sun_path) std::abort();
    if (address.length > sizeof(sockaddr_un)) std::abort();
    if (address.length <= offsetof(sockaddr_un, sun_path) + path.size()) std::abort();
  } catch (const SystemError&) {
    if (valid) std::abort();
  }
}

void CheckAbstract(const std::string& name) {
  const bool valid = !name.empty() && name.size() < sizeof(sockaddr_un::sun_path) &&
                     name.find('\0') == std::string::npos;
  try {
    const SocketAddress address = SocketAddress::Abstract(name);
    const auto* un = reinterpret_cast<const sockaddr_un*>(address.get());
    if (!valid || un->sun_path[0] != '\0') std::abort();
    if (address.length != offsetof(sockaddr_un, sun_path) + 1 + name.size()) std::abort();
    if (std::memcmp(un->sun_path + 1, name.data(), name.size()) != 0) std::abort();
  } catch (const SystemError&) {
    if (valid) std::abort();
  }
}

void CheckTcp(const std::string& ip) {
  try {
    const SocketAddress address = SocketAddress::Tcp(ip, 5000);
    if (address.family() != AF_INET && address.family() != AF_INET6) std::abort();
    if (address.length > sizeof(sockaddr_storage)) std::abort();
  } catch (const SystemError& error) {
    if (std::strlen(error.syscall()) == 0) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckUnix(text);
  CheckAbstract(text);
  CheckTcp(text);
  return 0;
}
