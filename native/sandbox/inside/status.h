#pragma once

#include "failure.h"

namespace scriptd::sandbox {

// What the worker reads from the status socket first: one letter and a little-endian 32-bit number,
//
//   'E' wait status                               the script ended, see wait(2)
//   'F' errno, then the step, NUL, the detail     it was not started
//
// or nothing, when the first process itself was killed. After 'E' come the collected files, if any,
// and then a 'D', a letter alone and the last: nothing is left but the first process, which is
// about to exit.

void WriteEnded(int fd, int wait_status);
void WriteDone(int fd);
void WriteFailed(int fd, const Failure& failure);

}  // namespace scriptd::sandbox
