#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "descriptor.h"

namespace scriptd::sandbox {

/// Network namespaces that are made ahead, each for one process: making one takes longer than all
/// else of a sandbox together. A thread of its own makes them, since whoever makes one is in it.
/// Needs CAP_SYS_ADMIN; without it there are none.
class NetworkPool {
 public:
  NetworkPool() = default;
  ~NetworkPool();
  NetworkPool(const NetworkPool&) = delete;
  NetworkPool& operator=(const NetworkPool&) = delete;

  /// One that nobody has been in, close-on-exec, or empty when there is none at the moment: it
  /// never waits.
  Descriptor Take();

  /// Has more made, if there are few. To be called when the process that got the last one is on its
  /// way: the thread would take its processor. The first call starts the thread.
  void Refill();

 private:
  void Fill();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Descriptor> ready_;
  bool wanted_ = false;  // one was asked for since the last failure
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace scriptd::sandbox
