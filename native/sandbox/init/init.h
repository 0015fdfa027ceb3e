#pragma once

namespace scriptd::sandbox {

/// The first process of a run's pid namespace, as `scriptd-init PLAN STATUS CONTROL NETWORK`
/// with the numbers of its descriptors (first_process.h), -1 for none. It sets the sandbox up,
/// starts the script, reaps what is left to it, and ends when the script has and nothing else runs.
int RunInit(int argc, char* const* argv);

}  // namespace scriptd::sandbox
