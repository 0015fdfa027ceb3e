import { number, refusedAll } from '../python.js';
import type { Row } from '../row.js';

const atStrict = { verdict: 'blocked', promisedFrom: 'strict' } as const;

/** Makes objects that would outlive a script, all with names that another can look for. */
const leave = `import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
made = [libc.syscall(${number('shmget')}, 4711, 4096, 0o1666),
        libc.syscall(${number('semget')}, 4711, 1, 0o1666),
        libc.syscall(${number('msgget')}, 4711, 0o1666)]
open("/dev/shm/scriptd-left", "w").write("x")
open("/tmp/scriptd-left", "w").write("x")`;

const look = refusedAll(`
system("shmget", ${number('shmget')}, 4711, 0, 0)
system("semget", ${number('semget')}, 4711, 0, 0)
system("msgget", ${number('msgget')}, 4711, 0)
for path in ("/dev/shm/scriptd-left", "/tmp/scriptd-left"): attempt(path, lambda: open(path))
def abstract():
    s = socket.socket(socket.AF_UNIX); s.connect("\\0scriptd-left"); return "connected"
attempt("abstract socket", abstract)
`);

const abstractListener = `import socket, time
s = socket.socket(socket.AF_UNIX); s.bind("\\0scriptd-left"); s.listen()
time.sleep(1.5)
print("listened")`;

/** Scripts that want something of each other. */
export const otherRows: Row[] = [
  {
    ...atStrict,
    name: 'shared memory, semaphores, queues and files left for the next run',
    code: `${leave}\nprint(all(id >= 0 for id in made))`,
    expected: { outcome: 'success', said: /^(True|False)\n$/ },
    next: { code: look, expected: { outcome: 'success', said: 'refused\n' } },
  },
  {
    ...atStrict,
    name: 'an abstract socket and shared memory of a run at the same time',
    beside: {
      code: `${leave}\n${abstractListener}`,
      expected: { outcome: 'success', said: 'listened\n' },
    },
    code: `import time; time.sleep(0.5)\n${look}`,
    expected: { outcome: 'success', said: 'refused\n' },
  },
  {
    ...atStrict,
    name: 'trace, read or kill a run at the same time',
    beside: {
      code: 'import time; time.sleep(1.5); print("unharmed")',
      expected: { outcome: 'success', said: 'unharmed\n' },
    },
    code: `import time; time.sleep(0.5)
${refusedAll(`
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
if others: through.append(("seen", others))
buffer = ctypes.create_string_buffer(8)
for pid in list(range(2, 64)) + [PID, PID + 1, PID + 2]:
    if pid == os.getpid(): continue
    system("ptrace", ${number('ptrace')}, 16, pid, 0, 0)
    system("process_vm_readv", ${number('process_vm_readv')}, pid, None, 0, None, 0, 0)
    attempt("kill", lambda: os.kill(pid, 9))
`)}`,
    expected: { outcome: 'success', said: 'refused\n' },
  },
];
