#pragma once

namespace scriptd::sandbox {

/// The first process of a run's pid namespace, as `scriptd-init PLAN STATUS` with the numbers of
/// two descriptors: a file that holds the plan, and a pipe for how it went (status.h). It sets the
/// sandbox up, starts the script, reaps what is left to it, and ends when the script has: the
/// kernel then kills all that still runs in the namespace.
int RunInit(int argc, char* const* argv);

}  // namespace scriptd::sandbox
