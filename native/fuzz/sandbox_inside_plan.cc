// Plans for scriptd-init from arbitrary bytes: refused, or such that nothing points outside.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "inside_plan.h"

using scriptd::sandbox::InputFile;
using scriptd::sandbox::InsidePlan;
using scriptd::sandbox::ParsePlan;
using scriptd::sandbox::ReadOnly;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  InsidePlan plan{};
  if (ParsePlan(data, size, plan) < 0) return 0;
  const auto* begin = reinterpret_cast<const char*>(data);
  const auto check = [&](const char* text, std::size_t length) {
    if (text < begin || text + length >= begin + size || text[length] != '\0') std::abort();
  };
  for (const ReadOnly& paths : plan.read_only) {
    for (const char* path : {paths.source, paths.target}) {
      if (path[0] != '/' || std::strstr(path, "/../") != nullptr) std::abort();
      check(path, std::strlen(path));
    }
  }
  for (const InputFile& file : plan.program.files) {
    if (file.name[0] == '/' || file.name[0] == '\0') std::abort();
    if (std::strstr(file.name, "../") == file.name) std::abort();
    check(file.name, std::strlen(file.name));
    check(file.content.data(), file.content.size());
  }
  if (plan.program.argv[plan.program.argv.size() - 1] != nullptr) std::abort();
  if (plan.program.env[plan.program.env.size() - 1] != nullptr) std::abort();
  return 0;
}
