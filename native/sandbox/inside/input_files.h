#pragma once

#include "failure.h"
#include "inside_plan.h"

namespace scriptd::sandbox {

/// Writes the program's files into the working directory, which nobody else can write yet; they and
/// the directories that lead to them belong to the script. Step: files.
Failure WriteInputFiles(const Program& program, const InsidePlan& plan);

}  // namespace scriptd::sandbox
