#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "byte_reader.h"
#include "limit.h"
#include "pages.h"

namespace scriptd::sandbox {

/// A file that the script finds in its work directory.
struct InputFile {
  const char* name;  // relative, without empty, "." or ".." components
  std::uint32_t mode;
  std::string_view content;
};

/// What a script is started with, whatever it is started in. Strings point into the bytes it was
/// read from, which must outlive it.
struct Program {
  Pages<const char*> argv;  // ends in a null pointer, like env
  Pages<const char*> env;
  Pages<Limit> limits;
  Pages<InputFile> files;
};

/// The least that a string takes: its count and its NUL.
inline constexpr std::size_t kStringBytesMin = 5;

/// Reads argv, env, limits and files, in this order. 0, -EINVAL or -ENOMEM; that the bytes didn't
/// end too early is the reader's to say.
long ReadProgram(ByteReader& reader, Program& program);

/// "a", "a/b": every component names something below.
bool IsInside(const char* name);

}  // namespace scriptd::sandbox
