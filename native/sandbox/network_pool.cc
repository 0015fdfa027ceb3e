#include "network_pool.h"

#include <fcntl.h>
#include <sched.h>

#include <csignal>
#include <cstddef>
#include <system_error>
#include <utility>

#include "system_error.h"

namespace scriptd::sandbox {
namespace {

constexpr std::size_t kReadyMax = 4;

/// The calling thread is in it afterwards. Empty when it can't be had: the process that asks will
/// then try it itself and say why.
Descriptor MakeNetwork() {
  if (unshare(CLONE_NEWNET) != 0) return {};
  Descriptor network(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!network) return {};
  try {
    return AboveStandardStreams(std::move(network));
  } catch (const SystemError&) {
    return {};
  }
}

}  // namespace

NetworkPool::~NetworkPool() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Descriptor NetworkPool::Take() {
  if (!thread_.joinable()) {
    // Signals are for the threads that were there before: a new one inherits what is blocked.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread(&NetworkPool::Fill, this);
    } catch (const std::system_error&) {
      // No more threads at the moment; the next call tries again.
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  Descriptor taken;
  {
    const std::scoped_lock lock(mutex_);
    wanted_ = true;
    if (!ready_.empty()) {
      taken = std::move(ready_.back());
      ready_.pop_back();
    }
  }
  changed_.notify_one();
  return taken;
}

void NetworkPool::Fill() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    Descriptor made = MakeNetwork();
    lock.lock();
    const bool failed = !made;
    if (!failed) ready_.push_back(std::move(made));
    // After a failure another try is worth it when one is wanted.
    wanted_ = wanted_ && !failed;
    changed_.wait(lock, [this, failed] {
      return ending_ || (ready_.size() < kReadyMax && (wanted_ || !failed));
    });
  }
}

}  // namespace scriptd::sandbox
