/** Errnos that the filter answers with; 0 is what looks done, and is not. */
export const errnos = { NONE: 0, EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

/** In place of an errno: it is let through. */
export const through = -1;

/**
 * The deny list of native/sandbox/inside/seccomp.cc once more, written down independently: names
 * as in the manual, with the number on x86-64, and the errno. Those whose arguments decide are in
 * `deniedByArgument`.
 */
export const deniedCalls: Readonly<Record<string, readonly [number: number, errno: number]>> = {
  ...withErrno(errnos.ENOSYS, {
    ...{ clone3: 435, io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427 },
    ...{ inotify_init: 253, inotify_init1: 294, fanotify_init: 300 },
  }),
  ...withErrno(errnos.EPERM, {
    ...{ unshare: 272, setns: 308, mount: 165, umount2: 166, pivot_root: 155, chroot: 161 },
    ...{ open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, fspick: 433 },
    ...{ mount_setattr: 442, open_tree_attr: 467, statmount: 457, listmount: 458 },
    ...{ name_to_handle_at: 303, open_by_handle_at: 304, add_key: 248, request_key: 249 },
    ...{ keyctl: 250, bpf: 321, perf_event_open: 298, userfaultfd: 323, ptrace: 101 },
    ...{ process_vm_readv: 310, process_vm_writev: 311, pidfd_getfd: 438, kcmp: 312, syslog: 103 },
    ...{ lookup_dcookie: 212, kexec_load: 246, kexec_file_load: 320, init_module: 175 },
    ...{ finit_module: 313, delete_module: 176, reboot: 169, swapon: 167, swapoff: 168 },
    ...{ settimeofday: 164, clock_settime: 227, clock_adjtime: 305, adjtimex: 159, acct: 163 },
    ...{ quotactl: 179, quotactl_fd: 443, vhangup: 153, nfsservctl: 180, iopl: 172, ioperm: 173 },
    ...{ modify_ldt: 154, create_module: 174, get_kernel_syms: 177, query_module: 178 },
    ...{ uselib: 134 },
  }),
};

/** Calls with arguments, and the errno that they are answered with. */
export const deniedByArgument: readonly (readonly [
  name: string,
  number: number,
  args: readonly bigint[],
  errno: number,
])[] = [
  ...[0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n].map(
    (flag) => ['clone', 56, [flag | 17n], errnos.EPERM] as const,
  ),
  ['clone', 56, [0x7fffffffn], errnos.EPERM],
  ...['socket', 'socketpair'].flatMap((name) =>
    [0n, 3n, 9n, 11n, 16n, 17n, 38n, 40n, 44n, 0xffffffffn, 0x1_0000_0010n].map(
      (family) =>
        [name, name === 'socket' ? 41 : 53, [family, 1n, 0n, 0n], errnos.EAFNOSUPPORT] as const,
    ),
  ),
  ['socket', 41, [1n, 1n, 0n], through],
  ['socket', 41, [2n, 1n, 0n], through],
  ['ioctl', 16, [0n, 0x5412n, 0n], errnos.EPERM],
  ['ioctl', 16, [0n, 0x541cn, 0n], errnos.EPERM],
  // The kernel takes only the low half.
  ['ioctl', 16, [0n, 0x1_0000_5412n, 0n], errnos.EPERM],
  ['personality', 135, [0x40000n], errnos.EPERM],
  ['personality', 135, [0xfffffffen], errnos.EPERM],
  ['personality', 135, [0xffffffffn], through],
  ['personality', 135, [0n], through],
  // New limits of another process: neither an address nor a number is let through for one half of it.
  ['prlimit64', 302, [1n, 7n, 1n], errnos.EPERM],
  ['prlimit64', 302, [1n, 7n, 0x1_0000_0000n], errnos.EPERM],
  ['prlimit64', 302, [0x1_0000_0001n, 7n, 1n], errnos.EPERM],
  ['prlimit64', 302, [0n, 7n, 0n], through],
  ['prlimit64', 302, [0x1_0000_0000n, 7n, 0n], through],
  // The size of core dumps is nobody's to change; to look at it is.
  ['prlimit64', 302, [0n, 4n, 1n], errnos.NONE],
  ['prlimit64', 302, [0n, 0x1_0000_0004n, 0x1_0000_0000n], errnos.NONE],
  ['prlimit64', 302, [1n, 4n, 1n], errnos.EPERM],
  ['prlimit64', 302, [0n, 4n, 0n], through],
  ['setrlimit', 160, [4n, 1n], errnos.NONE],
  ['setrlimit', 160, [0x1_0000_0004n, 1n], errnos.NONE],
  ['fcntl', 72, [0n, 1026n, 0n], errnos.EPERM],
  ['fcntl', 72, [0n, 1n, 0n], through],
];

function withErrno(
  errno: number,
  numbers: Record<string, number>,
): Record<string, readonly [number, number]> {
  return Object.fromEntries(Object.entries(numbers).map(([name, n]) => [name, [n, errno]]));
}
