#include "stream.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include "fd.h"
#include "system_error.h"

namespace scriptd {

StreamTraits PrepareStream(int fd) {
  const int flags = Check(fcntl(fd, F_GETFL), "fcntl");
  Check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
  Check(fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl");
  struct stat status {};
  Check(fstat(fd, &status), "fstat");
  const int mode = flags & O_ACCMODE;
  return {.readable = mode != O_WRONLY,
          .writable = mode != O_RDONLY,
          .is_socket = S_ISSOCK(status.st_mode)};
}

Pipe OpenPipe() {
  std::array<int, 2> ends{};
  Check(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), "pipe2");
  return {.read_end = Fd(ends[0]), .write_end = Fd(ends[1])};
}

ssize_t ReadStream(int fd, bool is_socket, std::span<std::byte> into) {
  const ssize_t count =
      is_socket ? recv(fd, into.data(), into.size(), 0) : read(fd, into.data(), into.size());
  return count >= 0 ? count : -errno;
}

ssize_t WriteStream(int fd, bool is_socket, std::span<const std::byte> bytes) {
  const ssize_t count = is_socket ? send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                  : write(fd, bytes.data(), bytes.size());
  return count >= 0 ? count : -errno;
}

ssize_t WriteStreamGathered(int fd, bool is_socket, std::span<iovec> chunks) {
  ssize_t count = 0;
  if (is_socket) {
    msghdr message{};
    message.msg_iov = chunks.data();
    message.msg_iovlen = chunks.size();
    count = sendmsg(fd, &message, MSG_NOSIGNAL);
  } else {
    count = writev(fd, chunks.data(), static_cast<int>(chunks.size()));
  }
  return count >= 0 ? count : -errno;
}

}  // namespace scriptd
