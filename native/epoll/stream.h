#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>

#include "fd.h"

namespace scriptd {

/// What a descriptor from elsewhere can do.
struct StreamTraits {
  bool readable;
  bool writable;
  bool is_socket;
};

/// Makes it close-on-exec and non-blocking. @throws SystemError EBADF
StreamTraits PrepareStream(int fd);

struct Pipe {
  Fd read_end;
  Fd write_end;
};

/// Both ends close-on-exec and non-blocking. @throws SystemError
Pipe OpenPipe();

// One system call each: the number of bytes or -errno. Writing to a reader that is gone gives
// -EPIPE: sockets never raise SIGPIPE, and for pipes Node ignores it from its start.
// For sockets recv and send, which cost a quarter less than read and write.
ssize_t ReadStream(int fd, bool is_socket, std::span<std::byte> into);
ssize_t WriteStream(int fd, bool is_socket, std::span<const std::byte> bytes);
ssize_t WriteStreamGathered(int fd, bool is_socket, std::span<iovec> chunks);

}  // namespace scriptd
