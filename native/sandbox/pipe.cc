#include "pipe.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "system_error.h"

namespace scriptd::sandbox {
namespace {

struct Ends {
  Descriptor read;
  Descriptor write;
};

Ends MakePipe() {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) throw SystemError("pipe2", errno);
  Descriptor read(fds[0]);
  Descriptor write(fds[1]);
  return {AboveStandardStreams(std::move(read)), AboveStandardStreams(std::move(write))};
}

void MakeNonBlocking(const Descriptor& descriptor) {
  const int flags = fcntl(descriptor.get(), F_GETFL);
  if (flags < 0 || fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK) != 0) {
    throw SystemError("fcntl", errno);
  }
}

}  // namespace

Stream StreamToChild() {
  Ends ends = MakePipe();
  MakeNonBlocking(ends.write);
  return {std::move(ends.write), std::move(ends.read)};
}

Stream StreamFromChild() {
  Ends ends = MakePipe();
  MakeNonBlocking(ends.read);
  return {std::move(ends.read), std::move(ends.write)};
}

Stream SocketStream() {
  std::array<int, 2> fds{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    throw SystemError("socketpair", errno);
  }
  Descriptor first(fds[0]);
  Descriptor second(fds[1]);
  Stream stream{AboveStandardStreams(std::move(first)), AboveStandardStreams(std::move(second))};
  MakeNonBlocking(stream.ours);
  return stream;
}

Stream EmptyStream() {
  Descriptor null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) throw SystemError("open", errno);
  return {Descriptor(), AboveStandardStreams(std::move(null))};
}

}  // namespace scriptd::sandbox
