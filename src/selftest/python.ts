/**
 * A script that tries calls, each of which must be refused, and prints those that were not. `attempt`
 * takes a Python function that has to raise OSError, `system` the number and arguments of a system
 * call.
 */
export function refusedAll(body: string): string {
  return `
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
through = []
def attempt(name, call):
    try:
        through.append((name, call()))
    except OSError:
        pass
def system(name, number, *args):
    result = libc.syscall(number, *args)
    if result != -1:
        through.append((name, result))
${body}
print(through or "refused")
`;
}

/** Numbers of system calls that have no function in Python: x86-64, arm64. */
const numbers = {
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  clone: [56, 220],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  bpf: [321, 280],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  open_by_handle_at: [304, 265],
  kexec_load: [246, 104],
  reboot: [169, 142],
  init_module: [175, 105],
  move_mount: [429, 429],
  fsopen: [430, 430],
  shmget: [29, 194],
  semget: [64, 190],
  msgget: [68, 186],
} as const;

/** The number of a system call on this processor. */
export function number(name: keyof typeof numbers): number {
  return numbers[name][process.arch === 'arm64' ? 1 : 0];
}
