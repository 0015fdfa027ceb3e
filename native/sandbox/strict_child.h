#pragma once

#include <string>
#include <vector>

#include "string_block.h"

namespace scriptd::sandbox {

/// What the child that becomes scriptd-init reads of its parent's memory; see Child.
struct StrictChild {
  const char* init;
  const StringBlock* argv;
  const std::string* uid_map;  // null without a user namespace
  const std::string* gid_map;
  const std::vector<int>* kept;  // stay open across execve
  // Numbered above 2, so that putting one in its place overwrites none of the others.
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  const char* failed_syscall;
  int error;
};

/// Only what must happen before execve: the rest scriptd-init does in a memory of its own, while
/// the worker goes on. `argument` is a StrictChild.
void RunStrictChild(void* argument);

}  // namespace scriptd::sandbox
