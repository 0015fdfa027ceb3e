#pragma once

#include <cstddef>
#include <cstdint>

#include "failure.h"
#include "program.h"

namespace scriptd::sandbox {

/// What a sandbox that was prepared ahead waits for: the script that it is for. Strings point into
/// the bytes it was parsed from, which must outlive it.
struct TaskFrame {
  bool inspect;  // the exception report is to have local variables
  Program program;
};

/// Reads a frame as src/worker/task-frame.ts writes it, which also describes the format. 0, or
/// -EINVAL when anything is wrong with the bytes, or -ENOMEM.
long ParseFrame(const std::uint8_t* bytes, std::size_t size, TaskFrame& frame);

/// Waits for a frame on `fd` until its end. What was read is never freed. Step: task.
Failure ReceiveFrame(int fd, TaskFrame& frame);

}  // namespace scriptd::sandbox
