#include "seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <iterator>
#include <span>

#include "bpf.h"
#include "raw_syscall.h"

// What is allowed is everything else: the namespaces, the identity and Landlock already take away
// what a program could reach. This takes away what it could attack the kernel with.

namespace scriptd::sandbox {
namespace {

constexpr std::uint32_t Errno(int error) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

// Numbers that libc's headers may be too old for; they are the same on every architecture.
constexpr long kClone3 = 435;
constexpr long kPidfdGetfd = 438;
constexpr long kQuotactlFd = 443;
constexpr long kStatmount = 457;
constexpr long kListmount = 458;
constexpr long kOpenTreeAttr = 467;

// libc falls back on what these replace, and a filter can't look into clone3's arguments.
// Who watches files is told of what others do with them, by whatever way they got there: which
// programs the host runs. Who finds no way to watch looks again and again.
constexpr long kUnknown[] = {
    kClone3,           SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    SYS_inotify_init1, SYS_fanotify_init,
#if defined(__x86_64__)
    SYS_inotify_init,
#endif
};

constexpr long kDenied[] = {
    // namespaces and mounts
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    kOpenTreeAttr,
    kStatmount,
    kListmount,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    // keyrings
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    // programs in the kernel, and its view of others
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    kPidfdGetfd,
    SYS_kcmp,
    SYS_syslog,
    SYS_lookup_dcookie,
    // the machine
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_acct,
    SYS_quotactl,
    kQuotactlFd,
    SYS_vhangup,
    SYS_nfsservctl,
#if defined(__x86_64__)
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_create_module,
    SYS_get_kernel_syms,
    SYS_query_module,
    SYS_uselib,
#endif
};

constexpr std::uint32_t kNamespaceFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET;
constexpr std::uint32_t kTiocsti = 0x5412;    // puts input into a terminal
constexpr std::uint32_t kTioclinux = 0x541C;  // the console's way to do so

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif
constexpr std::uint32_t kX32 = 0x40000000;  // its numbers begin here, under the same architecture

/// The low half of an argument, which is all that the kernel takes of most. Both architectures are
/// little-endian.
constexpr std::size_t Argument(std::size_t index) {
  return offsetof(seccomp_data, args) + index * sizeof(__u64);
}

constexpr std::size_t HighHalf(std::size_t index) { return Argument(index) + sizeof(__u32); }

/// clone without a new namespace.
constexpr void CheckClone(Assembler& program) {
  program.SkipUnlessEqual(SYS_clone, 5);
  program.Load(Argument(0));
  program.And(kNamespaceFlags);
  program.SkipIfEqual(0, 1);
  program.Return(Errno(EPERM));
  program.Return(SECCOMP_RET_ALLOW);
}

constexpr void CheckSocket(Assembler& program, long number) {
  program.SkipUnlessEqual(static_cast<std::uint32_t>(number), 6);
  program.Load(Argument(0));
  program.SkipIfEqual(AF_UNIX, 3);
  program.SkipIfEqual(AF_INET, 2);
  program.SkipIfEqual(AF_INET6, 1);
  program.Return(Errno(EAFNOSUPPORT));
  program.Return(SECCOMP_RET_ALLOW);
}

constexpr void CheckIoctl(Assembler& program) {
  program.SkipUnlessEqual(SYS_ioctl, 5);
  program.Load(Argument(1));
  program.SkipIfEqual(kTiocsti, 1);
  program.SkipUnlessEqual(kTioclinux, 1);
  program.Return(Errno(EPERM));
  program.Return(SECCOMP_RET_ALLOW);
}

/// The usual personality, or the question which it is.
constexpr void CheckPersonality(Assembler& program) {
  program.SkipUnlessEqual(SYS_personality, 5);
  program.Load(Argument(0));
  program.SkipIfEqual(0, 2);
  program.SkipIfEqual(0xFFFFFFFF, 1);
  program.Return(Errno(EPERM));
  program.Return(SECCOMP_RET_ALLOW);
}

/// Done without doing anything.
constexpr std::uint32_t kPretended = Errno(0);

/// Limits of the caller, or a look at another's: the first process of a sandbox has the same ids,
/// and the next growth of its stack would be its end. The size of core dumps stays what it is,
/// whatever a program sets it to: see NoCoreDumps.
constexpr void CheckLimits(Assembler& program) {
  program.SkipUnlessEqual(SYS_prlimit64, 11);
  program.Load(Argument(2));
  program.SkipUnlessEqual(0, 2);
  program.Load(HighHalf(2));
  program.SkipIfEqual(0, 6);
  program.Load(Argument(0));
  program.SkipUnlessEqual(0, 3);
  program.Load(Argument(1));
  program.SkipUnlessEqual(RLIMIT_CORE, 2);
  program.Return(kPretended);
  program.Return(Errno(EPERM));
  program.Return(SECCOMP_RET_ALLOW);
  program.SkipUnlessEqual(SYS_setrlimit, 4);
  program.Load(Argument(0));
  program.SkipUnlessEqual(RLIMIT_CORE, 1);
  program.Return(kPretended);
  program.Return(SECCOMP_RET_ALLOW);
}

/// The older way to be told of what happens in a directory.
constexpr void CheckFcntl(Assembler& program) {
  program.SkipUnlessEqual(SYS_fcntl, 4);
  program.Load(Argument(1));
  program.SkipUnlessEqual(F_NOTIFY, 1);
  program.Return(Errno(EPERM));
  program.Return(SECCOMP_RET_ALLOW);
}

struct Denial {
  std::uint32_t number;
  std::uint32_t action;
};

constexpr std::size_t kDenials = std::size(kUnknown) + std::size(kDenied);

constexpr std::array<Denial, kDenials> DenialsByNumber() {
  std::array<Denial, kDenials> denials{};
  std::size_t size = 0;
  for (const long number : kUnknown) {
    denials[size++] = {static_cast<std::uint32_t>(number), Errno(ENOSYS)};
  }
  for (const long number : kDenied) {
    denials[size++] = {static_cast<std::uint32_t>(number), Errno(EPERM)};
  }
  std::ranges::sort(denials, {}, &Denial::number);
  return denials;
}

constexpr std::size_t kLeaf = 3;

/// Instructions that Search takes for `count` denials.
// NOLINTNEXTLINE(misc-no-recursion): at compile time
constexpr std::size_t SearchSize(std::size_t count) {
  if (count <= kLeaf) return 2 * count + 1;
  return 1 + SearchSize(count / 2) + SearchSize(count - count / 2);
}

/// A binary search: the kernel tries the whole program for every system call there is when it is
/// installed, to find out which are always allowed; a list takes longer.
// NOLINTNEXTLINE(misc-no-recursion): at compile time
constexpr void Search(Assembler& program, std::span<const Denial> denials) {
  if (denials.size() <= kLeaf) {
    for (const Denial& denial : denials) {
      program.SkipUnlessEqual(denial.number, 1);
      program.Return(denial.action);
    }
    program.Return(SECCOMP_RET_ALLOW);
    return;
  }
  const std::size_t middle = denials.size() / 2;
  program.SkipUnlessBelow(denials[middle].number, static_cast<std::uint8_t>(SearchSize(middle)));
  Search(program, denials.first(middle));
  Search(program, denials.subspan(middle));
}

constexpr void DenyTruncate(Assembler& program) {
  program.SkipUnlessEqual(SYS_truncate, 1);
  program.Return(Errno(EPERM));
}

constexpr Assembler MakeFilter(bool truncates) {
  Assembler program;
  program.Load(offsetof(seccomp_data, arch));
  program.SkipIfEqual(kArchitecture, 1);
  program.Return(SECCOMP_RET_KILL_PROCESS);
  program.Load(offsetof(seccomp_data, nr));
  program.SkipIfBelow(kX32, 1);
  program.Return(SECCOMP_RET_KILL_PROCESS);
  CheckClone(program);
  CheckSocket(program, SYS_socket);
  CheckSocket(program, SYS_socketpair);
  CheckIoctl(program);
  CheckPersonality(program);
  CheckLimits(program);
  CheckFcntl(program);
  if (!truncates) DenyTruncate(program);
  Search(program, DenialsByNumber());
  return program;
}

constexpr Assembler kFilter = MakeFilter(true);
constexpr Assembler kFilterWithoutTruncate = MakeFilter(false);

}  // namespace

std::span<const sock_filter> FilterProgram(bool truncates) {
  const Assembler& filter = truncates ? kFilter : kFilterWithoutTruncate;
  return {filter.code(), filter.size()};
}

SCRIPTD_CHILD_CODE long InstallFilter(bool truncates) {
  const Assembler& filter = truncates ? kFilter : kFilterWithoutTruncate;
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.code())};
  return RawSyscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, Address(&program));
}

}  // namespace scriptd::sandbox
