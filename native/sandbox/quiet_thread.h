#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace scriptd::sandbox {

/// A thread that takes no signals: those are for the threads that were there before. A new one
/// inherits what is blocked.
/// @throws std::system_error when there can be no more threads
template <typename... Arguments>
std::thread StartQuietly(Arguments&&... arguments) {
  class Blocked {
   public:
    Blocked() {
      sigset_t all;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~Blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;

   private:
    sigset_t before_{};
  };
  const Blocked blocked;
  return std::thread(std::forward<Arguments>(arguments)...);
}

}  // namespace scriptd::sandbox
