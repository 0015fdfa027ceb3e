#include "launcher.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "basic.h"
#include "child.h"
#include "clone.h"
#include "fork_request.h"
#include "inside/landlock.h"
#include "pipe.h"
#include "strict_child.h"
#include "system_error.h"

namespace scriptd::sandbox {
namespace {

/// For a child that has ended or is about to.
void WaitFor(int pid) {
  while (waitpid(pid, nullptr, 0) < 0) {
    if (errno != EINTR) throw SystemError("waitpid", errno);
  }
}

Stream StdinOf(StdinSource source) {
  return source == StdinSource::kPipe ? StreamToChild() : EmptyStream();
}

Stream ControlOf(ControlKind kind) {
  switch (kind) {
    case ControlKind::kNone:
      return {};
    case ControlKind::kPipe:
      return StreamToChild();
    case ControlKind::kSocket:
      return SocketStream();
  }
  return {};
}

/// A file in memory that holds `bytes`.
Descriptor FileOf(const std::vector<std::uint8_t>& bytes) {
  Descriptor file(memfd_create("scriptd-plan", MFD_CLOEXEC));
  if (!file) throw SystemError("memfd_create", errno);
  file = AboveStandardStreams(std::move(file));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno != EINTR) throw SystemError("write", errno);
    if (written > 0) done += static_cast<std::size_t>(written);
  }
  return file;
}

/// The others, network and cgroup, are made by scriptd-init (inside/enter.cc).
std::uint64_t NamespacesOf(const StrictPlan& plan, int mounts) {
  std::uint64_t flags = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
  if (mounts < 0) flags |= CLONE_NEWNS;
  if (plan.uid_map) flags |= CLONE_NEWUSER;
  return flags;
}

/// As one message, or not at all.
void SendRequest(int socket, ForkRequest request, const std::vector<int>& descriptors) {
  if (descriptors.size() > kForkDescriptorsMax) throw SystemError("sendmsg", EINVAL);
  const std::size_t size = descriptors.size() * sizeof(int);
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kForkDescriptorsMax * sizeof(int))> control{};
  iovec bytes{&request, sizeof(request)};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(size);
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(size);
  std::memcpy(CMSG_DATA(part), descriptors.data(), size);
  while (sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) throw SystemError("sendmsg", errno);
  }
}

}  // namespace

StartedProcess Launcher::Start(const SpawnPlan& plan) {
  Stream in = StdinOf(plan.stdin_source);
  Stream out = StreamFromChild();
  Stream err = StreamFromChild();
  Stream control = ControlOf(plan.control);
  const Descriptor ruleset = plan.basic ? RulesetFor(*plan.basic) : Descriptor();
  const Dumpable dumpable;
  Child child{.plan = &plan,
              .stdin_fd = in.childs.get(),
              .stdout_fd = out.childs.get(),
              .stderr_fd = err.childs.get(),
              .control_fd = control.childs.get(),
              .ruleset = ruleset.get(),
              .truncates = !plan.basic || LandlockVersion() >= kLandlockWithTruncate,
              .parent_pid = getpid(),
              .failed_syscall = nullptr,
              .error = 0};
  const int cgroup = plan.basic ? plan.basic->cgroup : -1;
  Cloned cloned = CloneSharingMemory(stack_, RunChild, &child, {.namespaces = 0, .cgroup = cgroup});
  if (child.failed_syscall != nullptr) {
    WaitFor(cloned.pid);
    throw SystemError(child.failed_syscall, child.error);
  }
  return {cloned.pid,          std::move(cloned.pidfd), std::move(in.ours), std::move(out.ours),
          std::move(err.ours), std::move(control.ours), Descriptor()};
}

StartedProcess Launcher::StartStrict(const StrictPlan& plan) {
  Stream in = StdinOf(plan.stdin_source);
  Stream out = StreamFromChild();
  Stream err = StreamFromChild();
  Stream control = ControlOf(plan.control);
  Stream status = SocketStream();
  const Descriptor inside = FileOf(plan.inside);
  std::vector<int> kept = plan.procs;
  kept.push_back(inside.get());
  kept.push_back(status.childs.get());
  if (control.childs) kept.push_back(control.childs.get());
  const std::string inside_number = std::to_string(inside.get());
  const std::string status_number = std::to_string(status.childs.get());
  const std::string control_number = std::to_string(control.childs.get());
  // The user namespace of an ordinary user has to make its own.
  const Descriptor network = plan.own_network && !plan.uid_map ? networks_.Take() : Descriptor();
  if (network) kept.push_back(network.get());
  const int mounts = MountsFor(plan);
  if (mounts >= 0) kept.push_back(mounts);
  const std::string network_number = std::to_string(network.get());
  const std::string mounts_number = std::to_string(mounts);
  const std::vector<std::string_view> words{"scriptd-init", inside_number,  status_number,
                                            control_number, network_number, mounts_number};
  const StringBlock argv(words);
  StrictChild child{.init = plan.init.c_str(),
                    .argv = &argv,
                    .uid_map = plan.uid_map ? &*plan.uid_map : nullptr,
                    .gid_map = &plan.gid_map,
                    .kept = &kept,
                    .stdin_fd = in.childs.get(),
                    .stdout_fd = out.childs.get(),
                    .stderr_fd = err.childs.get(),
                    .failed_syscall = nullptr,
                    .error = 0};
  Cloned cloned =
      CloneSharingMemory(stack_, RunStrictChild, &child,
                         {.namespaces = NamespacesOf(plan, mounts), .cgroup = plan.cgroup});
  if (plan.own_network && !plan.uid_map) networks_.Refill();
  if (child.failed_syscall != nullptr) {
    WaitFor(cloned.pid);
    throw SystemError(child.failed_syscall, child.error);
  }
  return {cloned.pid,          std::move(cloned.pidfd), std::move(in.ours),    std::move(out.ours),
          std::move(err.ours), std::move(control.ours), std::move(status.ours)};
}

// A user namespace may only enter mount namespaces of its own.
int Launcher::MountsFor(const StrictPlan& plan) {
  return plan.uid_map ? -1 : roots_.For(plan.read_only);
}

StartedProcess Launcher::RequestFork(int requests, const StrictPlan& plan) {
  Stream in = StdinOf(plan.stdin_source);
  Stream out = StreamFromChild();
  Stream err = StreamFromChild();
  Stream control = StreamToChild();
  Stream status = SocketStream();
  const Descriptor inside = FileOf(plan.inside);
  ForkRequest request{ForkRequest::kMagic, 0};
  std::vector<int> descriptors{inside.get(),     status.childs.get(), in.childs.get(),
                               out.childs.get(), err.childs.get(),    control.childs.get()};
  if (plan.uid_map) request.flags |= ForkRequest::kOwnUserNamespace;
  if (plan.cgroup >= 0) {
    request.flags |= ForkRequest::kIntoCgroup;
    descriptors.push_back(plan.cgroup);
  }
  const int mounts = MountsFor(plan);
  if (mounts >= 0) {
    request.flags |= ForkRequest::kMountsAhead;
    descriptors.push_back(mounts);
  }
  descriptors.insert(descriptors.end(), plan.procs.begin(), plan.procs.end());
  SendRequest(requests, request, descriptors);
  return {0,
          Descriptor(),
          std::move(in.ours),
          std::move(out.ours),
          std::move(err.ours),
          std::move(control.ours),
          std::move(status.ours)};
}

}  // namespace scriptd::sandbox
