// Task frames from arbitrary bytes: refused, or such that nothing points outside.

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "task_frame.h"

using scriptd::sandbox::InputFile;
using scriptd::sandbox::ParseFrame;
using scriptd::sandbox::TaskFrame;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  TaskFrame frame{};
  if (ParseFrame(data, size, frame) < 0) return 0;
  const auto* begin = reinterpret_cast<const char*>(data);
  const auto check = [&](const char* text, std::size_t length) {
    if (text < begin || text + length >= begin + size || text[length] != '\0') std::abort();
  };
  if (frame.program.argv.size() < 2) std::abort();
  for (const auto* strings : {&frame.program.argv, &frame.program.env}) {
    for (std::size_t i = 0; i + 1 < strings->size(); ++i) {
      check((*strings)[i], std::strlen((*strings)[i]));
    }
    if ((*strings)[strings->size() - 1] != nullptr) std::abort();
  }
  for (const InputFile& file : frame.program.files) {
    if (file.name[0] == '/' || file.name[0] == '\0') std::abort();
    if (std::strstr(file.name, "../") == file.name) std::abort();
    check(file.name, std::strlen(file.name));
    check(file.content.data(), file.content.size());
  }
  return 0;
}
