#include "network_pool.h"

#include <fcntl.h>
#include <sched.h>

#include <cstddef>
#include <system_error>
#include <utility>

#include "quiet_thread.h"
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
  const std::scoped_lock lock(mutex_);
  if (ready_.empty()) return {};
  Descriptor taken = std::move(ready_.back());
  ready_.pop_back();
  return taken;
}

void NetworkPool::Refill() {
  if (!thread_.joinable()) {
    try {
      thread_ = StartQuietly(&NetworkPool::Fill, this);
    } catch (const std::system_error&) {
      return;  // no more threads at the moment; the next call tries again
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    wanted_ = true;
  }
  changed_.notify_one();
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
