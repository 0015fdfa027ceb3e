#pragma once

#include "fd.h"

namespace scriptd {

/// A pidfd (close-on-exec): readable once the process has exited. @throws SystemError ESRCH
Fd OpenProcess(int pid);

}  // namespace scriptd
