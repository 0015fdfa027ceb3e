import { number, refusedAll } from '../python.js';
import type { Row } from '../row.js';

const blocked = { verdict: 'blocked' } as const;
const fromBasic = { ...blocked, promisedFrom: 'basic' } as const;
const atStrict = { ...blocked, promisedFrom: 'strict' } as const;
const allRefused = { outcome: 'success', said: 'refused\n' } as const;

/** Arguments of system calls that are refused whatever they are. */
const systemCalls = (
  [
    ['unshare', '0x10000000'],
    ['setns', '0, 0'],
    ['mount', 'b"a", b"/tmp", b"tmpfs", 0, None'],
    ['umount2', 'b"/proc", 2'],
    ['pivot_root', 'b"/", b"/"'],
    ['fsopen', 'b"tmpfs", 0'],
    ['move_mount', '-1, b"", -1, b"", 0'],
    ['clone', '0x10000000 | 17, 0, 0, 0, 0'],
    ['keyctl', '0, 0'],
    ['add_key', 'b"user", b"a", b"b", 1, -3'],
    ['request_key', 'b"user", b"a", None, -3'],
    ['bpf', '0, None, 0'],
    ['ptrace', '0, 0, 0, 0'],
    ['perf_event_open', 'None, 0, -1, -1, 0'],
    ['userfaultfd', '0'],
    ['io_uring_setup', '1, None'],
    ['open_by_handle_at', '0, None, 0'],
    ['kexec_load', '0, 0, None, 0'],
    ['init_module', 'None, 0, b""'],
    ['reboot', '0, 0, 0, None'],
  ] as const
)
  .map(([name, args]) => `system("${name}", ${number(name)}, ${args})`)
  .join('\n');

/** Scripts that want what belongs to the host, the worker or other runs. */
export const hostRows: Row[] = [
  {
    ...fromBasic,
    name: 'read what belongs to others: environments, memory, keys, the worker’s folder',
    code: `import glob, os
found = []
for path in ["/proc/1/environ", "/proc/1/mem", f"/proc/{PID}/environ", "/etc/shadow", "/root/.npmrc",
             WORKER + "/secret", "/proc/kcore", "/dev/mem"]:
    try:
        if open(path, "rb").read(1): found.append(path)
    except OSError: pass
for path in glob.glob("/proc/[0-9]*/root/*") + glob.glob("/home/*") + glob.glob("/root/*"):
    if not path.startswith(f"/proc/{os.getpid()}/"): found.append(path)
print(found or "nothing", sorted(os.environ))`,
    expected: { outcome: 'success', said: /^nothing \['HOME', 'LANG', 'PATH', 'PYTHON/ },
  },
  {
    ...fromBasic,
    name: 'write what belongs to the host: /proc/self/exe, /etc, core_pattern, sysrq, release_agent',
    code: refusedAll(`
for path in ["/proc/self/exe", "/etc/hosts", "/usr/bin/x", "/x", "/proc/sys/kernel/core_pattern",
             "/proc/sysrq-trigger", "/sys/fs/cgroup/release_agent", "/sys/fs/cgroup/memory/release_agent",
             "/sys/fs/cgroup/cgroup.procs", "/proc/1/oom_score_adj", "/dev/sda", "/dev/mem", "/dev/tty"]:
    attempt(path, lambda: open(path, "r+b" if os.path.exists(path) else "wb"))
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("mknod", lambda: os.mknod("d", 0o020666, os.makedev(1, 1)))
`),
    expected: allRefused,
  },
  {
    ...fromBasic,
    name: 'system calls that a script has no use for',
    code: refusedAll(`${systemCalls}
attempt("packet", lambda: socket.socket(17, 3))
attempt("netlink", lambda: socket.socket(16, 3))
attempt("raw", lambda: socket.socket(2, 3, 1))
`),
    expected: allRefused,
  },
  {
    ...atStrict,
    name: 'kill everybody: all processes, the first one, the worker',
    code: `import os
for pid in (-1, 1, PID):
    try: os.kill(pid, 9)
    except OSError: pass
print("alive")`,
    expected: { outcome: 'success', said: 'alive\n' },
  },
  {
    ...atStrict,
    name: 'have the first process of its sandbox wait for a processor, or die of a limit',
    code: refusedAll(`
import resource
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
attempt("idle", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
attempt("processors", lambda: os.sched_setaffinity(1, os.sched_getaffinity(0)))
attempt("stack", lambda: resource.prlimit(1, resource.RLIMIT_STACK, (0, 0)))
attempt("memory", lambda: resource.prlimit(1, resource.RLIMIT_AS, (0, 0)))
`),
    expected: allRefused,
  },
  {
    ...fromBasic,
    name: 'a setuid program, a file with capabilities',
    code: `import ctypes, os, subprocess
before = os.getresuid()
said = subprocess.run(["su", "-c", "id -u"], stdin=subprocess.DEVNULL, capture_output=True).stdout
libc = ctypes.CDLL(None)
header = (ctypes.c_uint32 * 2)(0x20080522, 0)
sets = (ctypes.c_uint32 * 6)()
libc.capget(header, sets)
print(said, os.getresuid() == before, libc.prctl(39, 0, 0, 0, 0), any(sets[i] for i in (0, 1, 3, 4)))`,
    expected: { outcome: 'success', said: "b'' True 1 False\n" },
  },
  {
    ...atStrict,
    name: 'the network: metadata address, this host, the worker’s socket',
    code: refusedAll(`
for address in [("169.254.169.254", 80), ("127.0.0.1", PORT), ("10.0.0.1", 80)]:
    def connect():
        s = socket.socket(); s.settimeout(1); s.connect(address); return "connected"
    attempt(address, connect)
def worker():
    s = socket.socket(socket.AF_UNIX); s.connect(SOCKET); return "connected"
attempt("worker", worker)
`),
    expected: allRefused,
  },
  {
    ...fromBasic,
    name: 'type into a terminal: TIOCSTI, /dev/tty',
    code: refusedAll(`
import fcntl
for fd in (0, 1, 2): attempt("TIOCSTI", lambda: fcntl.ioctl(fd, 0x5412, b"x"))
attempt("tty", lambda: open("/dev/tty"))
`),
    expected: allRefused,
  },
];
