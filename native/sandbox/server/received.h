#pragma once

#include <cstddef>

#include "fork_request.h"

namespace scriptd::sandbox {

/// A request with its descriptors, which it owns. Calls nothing that allocates.
class Received {
 public:
  Received() = default;
  ~Received() { Close(); }
  Received(const Received&) = delete;
  Received& operator=(const Received&) = delete;

  /// Waits for a request. 1 when there is one, 0 at the end of the socket, or -errno: EBADMSG,
  /// EMFILE and EINVAL are about this request, the others about the socket.
  long From(int socket);

  bool own_user_namespace() const { return (header_.flags & ForkRequest::kOwnUserNamespace) != 0; }
  int plan() const { return fds_[0]; }
  int status() const { return fds_[1]; }
  /// For 0, 1 and 2.
  int stream(int target) const { return fds_[2 + target]; }
  int control() const { return fds_[5]; }
  /// A directory of cgroup v2, or -1.
  int cgroup() const { return into_cgroup() ? fds_[kFixed] : -1; }
  /// A mount namespace, or -1.
  int mounts() const { return mounts_ahead() ? fds_[kFixed + (into_cgroup() ? 1 : 0)] : -1; }
  std::size_t procs_size() const { return size_ - first_procs(); }
  int procs(std::size_t index) const { return fds_[first_procs() + index]; }

  /// Closes everything else that is open, from 3 on, and the cgroup's directory. 0 or -errno.
  long CloseOthers() const;

  /// The descriptors are no longer its own.
  void Forget() { size_ = 0; }

 private:
  static constexpr std::size_t kFixed = 6;

  bool into_cgroup() const { return (header_.flags & ForkRequest::kIntoCgroup) != 0; }
  bool mounts_ahead() const { return (header_.flags & ForkRequest::kMountsAhead) != 0; }
  std::size_t first_procs() const {
    return kFixed + (into_cgroup() ? 1 : 0) + (mounts_ahead() ? 1 : 0);
  }
  long Check() const;
  bool Keeps(int fd) const;
  void Close();

  ForkRequest header_{};
  int fds_[kForkDescriptorsMax];
  std::size_t size_ = 0;
};

}  // namespace scriptd::sandbox
