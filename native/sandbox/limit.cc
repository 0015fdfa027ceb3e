#include "limit.h"

#include <sys/resource.h>

namespace scriptd::sandbox {

std::optional<int> ResourceByName(std::string_view name) {
  if (name == "cpu") return RLIMIT_CPU;
  if (name == "fsize") return RLIMIT_FSIZE;
  if (name == "nofile") return RLIMIT_NOFILE;
  if (name == "nproc") return RLIMIT_NPROC;
  if (name == "as") return RLIMIT_AS;
  if (name == "stack") return RLIMIT_STACK;
  return std::nullopt;
}

}  // namespace scriptd::sandbox
