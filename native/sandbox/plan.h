#pragma once

#include <optional>
#include <string>
#include <vector>

#include "basic_plan.h"
#include "limit.h"
#include "string_block.h"

namespace scriptd::sandbox {

enum class StdinSource { kNull, kPipe };

/// What a process has as descriptor 3: nothing, the reading end of a pipe, or one end of a socket
/// pair by which a fork server gets its requests.
enum class ControlKind { kNone, kPipe, kSocket };

/// All that a process is started with. The child reads it between clone and exec, where nothing
/// may be allocated, so it is complete before.
struct SpawnPlan {
  std::string file;  // absolute path of the executable
  StringBlock argv;  // argv[0] included
  StringBlock env;   // "NAME=value"; exactly this, nothing is inherited
  std::string cwd;
  StdinSource stdin_source;
  ControlKind control;
  std::vector<Limit> limits;
  std::optional<BasicPlan> basic;
};

}  // namespace scriptd::sandbox
