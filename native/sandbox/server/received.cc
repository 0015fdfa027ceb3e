#include "received.h"

#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "raw_syscall.h"

namespace scriptd::sandbox {

long Received::From(int socket) {
  Close();
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(fds_))];
  iovec bytes{&header_, sizeof(header_)};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t size = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
  if (size < 0) return -errno;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(fds_ + size_, CMSG_DATA(part), count * sizeof(int));
    size_ += count;
  }
  if (size == 0) return 0;
  if ((message.msg_flags & MSG_CTRUNC) != 0) return -EMFILE;
  return size == sizeof(header_) ? Check() : -EBADMSG;
}

/// None is numbered below 3: those are in use.
long Received::Check() const {
  constexpr std::uint32_t kKnown =
      ForkRequest::kOwnUserNamespace | ForkRequest::kIntoCgroup | ForkRequest::kMountsAhead;
  if (header_.magic != ForkRequest::kMagic || (header_.flags & ~kKnown) != 0) return -EBADMSG;
  if (size_ < first_procs()) return -EBADMSG;
  for (std::size_t i = 0; i < size_; ++i) {
    if (fds_[i] <= STDERR_FILENO) return -EINVAL;
  }
  return 1;
}

bool Received::Keeps(int fd) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if (fds_[i] == fd) return fd != cgroup();
  }
  return false;
}

long Received::CloseOthers() const {
  int last = STDERR_FILENO;
  for (std::size_t i = 0; i < size_; ++i) last = fds_[i] > last ? fds_[i] : last;
  for (int fd = STDERR_FILENO + 1; fd <= last; ++fd) {
    if (!Keeps(fd)) RawSyscall(SYS_close, fd);
  }
  return RawSyscall(SYS_close_range, last + 1, ~0U, 0);
}

void Received::Close() {
  for (std::size_t i = 0; i < size_; ++i) RawSyscall(SYS_close, fds_[i]);
  size_ = 0;
}

}  // namespace scriptd::sandbox
