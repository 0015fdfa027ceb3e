#include "status.h"

#include <sys/syscall.h>

#include <cstddef>
#include <cstdint>

#include "raw_syscall.h"

namespace scriptd::sandbox {
namespace {

/// Small enough to be written as a whole or not at all.
class Message {
 public:
  Message(char kind, int number) {
    Add(kind);
    const auto bits = static_cast<std::uint32_t>(number);
    for (int shift = 0; shift < 32; shift += 8) Add(static_cast<char>(bits >> shift));
  }
  void Add(char byte) {
    if (size_ < sizeof(bytes_)) bytes_[size_++] = byte;
  }
  void Add(const char* text) {
    while (*text != '\0') Add(*text++);
  }
  // Nobody could be told that it can't be written: the worker is gone then.
  void Write(int fd) const { RawSyscall(SYS_write, fd, Address(bytes_), static_cast<long>(size_)); }

 private:
  char bytes_[1024];
  std::size_t size_ = 0;
};

}  // namespace

void WriteEnded(int fd, int wait_status) { Message('E', wait_status).Write(fd); }

void WriteDone(int fd) { RawSyscall(SYS_write, fd, Address("D"), 1); }

void WriteFailed(int fd, const Failure& failure) {
  Message message('F', failure.error);
  message.Add(failure.step);
  message.Add('\0');
  message.Add(failure.detail);
  message.Write(fd);
}

}  // namespace scriptd::sandbox
