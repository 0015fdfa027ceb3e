#pragma once

#include "enter.h"
#include "failure.h"
#include "inside_plan.h"
#include "task_frame.h"

namespace scriptd::sandbox {

/// The descriptors of a run's first process.
struct Channels {
  int plan;     // a file that holds the plan
  int status;   // a socket for how it went, see status.h
  int control;  // a pipe that the task frame comes by, or -1
  MadeAhead ahead;
};

/// What the life of a run's first process hangs on. Never destroyed: it lives as long as that.
struct Sandbox {
  Channels channels;
  InsidePlan plan{};
  TaskFrame frame{};
  int ruleset = -1;

  const Program& program() const { return plan.waits ? frame.program : plan.program; }
};

// Its life in three parts, between which whoever uses them reads the plan and starts the script.
// None calls anything of libc.

/// Is killed when the worker's thread ends. A change of ids undoes it. Step: parent.
Failure DieWithWorker(int status_fd);

/// Reads the plan. Step: plan.
Failure ReadPlan(Sandbox& sandbox);

/// Enters the sandbox, waits for a task frame if the plan says so, writes the input files, and
/// takes the script's ids. The script has no way to look into it.
Failure EnterSandbox(Sandbox& sandbox);

/// In the process of the script: leaves the first process's session, and has nothing any more that
/// the script may not have. Open are 0, 1, 2 and, unless it was for us, the control pipe as 3.
Failure BecomeScript(const Sandbox& sandbox);

/// Gives up what only the setup needed, waits for the script, whose pid is given, and reports how
/// it ended; kills whatever else there is, hands out files, and says that it is done.
Failure OutliveScript(const Sandbox& sandbox, long pid);

}  // namespace scriptd::sandbox
