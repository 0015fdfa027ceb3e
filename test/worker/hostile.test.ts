import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import type { Limits, Result } from '../../src/task.js';
import { findCgroups } from '../../src/worker/cgroup/find.js';
import { supportedLayers } from '../../src/worker/sandbox.js';
import { eventually, openDescriptors, type Rig, startRig, temporaryFolder } from './test-worker.js';

const probe = findCgroups('scriptd-hostile-probe');
const lacking = supportedLayers().filter(({ available }) => !available);
const why = [
  ...lacking.map(({ name, detail }) => `${name}: ${detail}`),
  ...('version' in probe ? [] : [`cgroup: ${probe.detail}`]),
].join('; ');
if ('version' in probe) probe.close();
// In CI a host that cannot isolate is a failure.
const skip = why !== '' && !process.env.SCRIPTD_TEST_ALL ? `no strict isolation: ${why}` : false;

/** A hostile script, and what has to come of it. */
interface Row {
  name: string;
  code: string;
  limits?: Partial<Limits>;
  stdin?: Buffer;
  expected: object;
}

const outcome = (code: string) => ({ outcome: 'runtime_error', code });
const said = (text: string | RegExp) => ({ outcome: 'success', said: text });

/** Tries calls, each of which must raise OSError, and prints what did not. */
const refused = (body: string) => `
import ctypes, errno, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
through = []
def attempt(name, call):
    try:
        result = call()
    except OSError as error:
        return
    except PermissionError:
        return
    through.append((name, result))
def system(name, number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *args)
    if result != -1:
        through.append((name, result))
${body}
print(through or "refused")
`;

const rows: Row[] = [
  {
    name: 'a busy loop',
    code: 'while True: pass',
    limits: { cpuMs: 300 },
    expected: outcome('CPU_LIMIT'),
  },
  {
    name: 'four busy children',
    code: 'import os\nfor i in range(4):\n  if os.fork() == 0:\n    while True: pass\nos.wait()',
    limits: { cpuMs: 600 },
    expected: outcome('CPU_LIMIT'),
  },
  {
    name: 'sleep for ever',
    code: 'import time; time.sleep(9e9)',
    limits: { wallMs: 300 },
    expected: outcome('WALL_LIMIT'),
  },
  {
    name: 'ignore SIGTERM and SIGXCPU, go on',
    code: 'import signal\nfor s in (15, 24): signal.signal(s, signal.SIG_IGN)\nwhile True: pass',
    limits: { cpuMs: 300 },
    expected: outcome('CPU_LIMIT'),
  },
  {
    name: 'a fork bomb',
    code: 'import os\nwhile True: os.fork()',
    limits: { processes: 32, wallMs: 3_000 },
    expected: { outcome: 'runtime_error', code: /PROCESS_LIMIT|WALL_LIMIT|CPU_LIMIT/ },
  },
  {
    name: 'fork and exit, again and again',
    code: 'import os\nwhile True:\n  if os.fork() == 0: os._exit(0)',
    limits: { processes: 32, wallMs: 1_000 },
    expected: { outcome: 'runtime_error', code: /PROCESS_LIMIT|WALL_LIMIT|CPU_LIMIT/ },
  },
  {
    name: 'setsid, double fork, keep stdout open, parent exits 0',
    code: `import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.wait(); print("gone")`,
    expected: said('gone\n'),
  },
  {
    name: '10,000 zombies',
    code: 'import os\nfor i in range(10000):\n  if os.fork() == 0: os._exit(0)',
    limits: { processes: 64 },
    expected: outcome('PROCESS_LIMIT'),
  },
  {
    name: 'more memory than allowed, in the script',
    code: 'x = bytearray(200 << 20)',
    limits: { memoryBytes: 64 << 20 },
    expected: outcome('MEMORY_LIMIT'),
  },
  {
    name: 'more memory than allowed, in its child',
    code: 'import os, sys\nif os.fork() == 0:\n  x = bytearray(200 << 20)\nos.wait(); sys.exit(1)',
    limits: { memoryBytes: 64 << 20 },
    expected: outcome('MEMORY_LIMIT'),
  },
  {
    name: 'fill /tmp',
    code: 'f = open("/tmp/x", "wb")\nwhile True: f.write(bytes(1 << 20))',
    limits: { diskBytes: 8 << 20 },
    expected: { outcome: 'runtime_error', reason: /No space left|too large|DISK|ENOSPC|EFBIG/i },
  },
  {
    name: 'fill /dev/shm with many files',
    code: 'for i in range(99): open(f"/dev/shm/{i}", "wb").write(bytes(1 << 20))',
    limits: { diskBytes: 8 << 20 },
    expected: { outcome: 'runtime_error', reason: /No space left/ },
  },
  {
    name: 'fill a memfd',
    code: 'import os\nf = os.memfd_create("x")\nwhile True: os.write(f, bytes(1 << 20))',
    limits: { memoryBytes: 64 << 20, diskBytes: 512 << 20 },
    expected: outcome('MEMORY_LIMIT'),
  },
  {
    name: 'endless stdout',
    code: 'while True: print("x" * 9999)',
    limits: { outputBytes: 99_999 },
    expected: { ...outcome('OUTPUT_LIMIT'), said: /^xxx/ },
  },
  {
    name: 'endless stderr',
    code: 'import sys\nwhile True: sys.stderr.write("x" * 9999)',
    limits: { outputBytes: 99_999 },
    expected: outcome('OUTPUT_LIMIT'),
  },
  {
    name: '300 KB of output',
    code: 'print("x" * 300_000, end="")',
    expected: said('x'.repeat(300_000)),
  },
  {
    name: 'stdin is echoed',
    code: 'import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)',
    stdin: Buffer.alloc(4 << 20, 'y'),
    expected: said('y'.repeat(4 << 20)),
  },
  {
    name: 'stdin closed early',
    code: 'import os; os.close(0); print("fine")',
    stdin: Buffer.alloc(4 << 20),
    expected: said('fine\n'),
  },
  {
    name: 'a sparse file of 1 TB',
    code: 'f = open("x", "wb"); f.truncate(1 << 40)',
    expected: { outcome: 'runtime_error' },
  },
  {
    name: '100,000 tiny files',
    code: 'for i in range(100000): open(f"{i}", "w")',
    expected: { outcome: 'runtime_error', reason: /No space left/ },
  },
  {
    name: 'deeply nested folders, and a name of 255 bytes',
    code: 'import os\nopen("n" * 255, "w")\nfor i in range(9000): os.mkdir("d"); os.chdir("d")\nprint("deep")',
    limits: { wallMs: 300_000, cpuMs: 300_000 }, // an emulated machine takes its time
    expected: said('deep\n'),
  },
  {
    name: 'read what belongs to others',
    code: `import glob, os
found = []
for path in ["/proc/1/environ", "/proc/1/mem", "/etc/shadow", "/root/.npmrc", WORKER + "/secret", "/proc/kcore"]:
    try:
        if open(path, "rb").read(1): found.append(path)
    except OSError: pass
for path in glob.glob("/proc/[0-9]*/root/*") + glob.glob("/home/*") + glob.glob("/var/*"):
    if not path.startswith(f"/proc/{os.getpid()}/"): found.append(path)
print(found or "nothing", sorted(os.environ))`,
    expected: said(/^nothing \['HOME', 'LANG', 'PATH', 'PYTHON/),
  },
  {
    name: 'write what belongs to the host',
    code: refused(`
for path in ["/proc/self/exe", "/etc/hosts", "/usr/bin/x", "/x", "/proc/sys/kernel/core_pattern",
             "/proc/sysrq-trigger", "/sys/fs/cgroup/release_agent", "/proc/1/oom_score_adj", "/dev/sda", "/dev/mem", "/dev/tty"]:
    attempt(path, lambda: open(path, "r+b" if os.path.exists(path) else "wb"))
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("mknod", lambda: os.mknod("/tmp/d", 0o020666, os.makedev(1, 1)))
`),
    expected: said('refused\n'),
  },
  {
    name: 'system calls that a script has no use for',
    code: refused(`
for name, number, args in [("unshare", 272, [0x10000000]), ("setns", 308, [0, 0]), ("mount", 165, [b"a", b"/tmp", b"tmpfs", 0, None]),
    ("clone", 56, [0x10000000 | 17, 0, 0, 0, 0]), ("keyctl", 250, [0, 0]), ("add_key", 248, [b"user", b"a", b"b", 1, -3]), ("bpf", 321, [0, None, 0]),
    ("ptrace", 101, [0, 0, 0, 0]), ("perf_event_open", 298, [None, 0, -1, -1, 0]), ("userfaultfd", 323, [0]), ("io_uring_setup", 425, [1, None]),
    ("pivot_root", 155, [b"/", b"/"]), ("umount2", 166, [b"/proc", 2]), ("open_by_handle_at", 304, [0, None, 0]), ("kexec_load", 246, [0, 0, None, 0]), ("reboot", 169, [0, 0, 0, None])]:
    system(name, number, *args)
attempt("packet", lambda: socket.socket(17, 3))
attempt("netlink", lambda: socket.socket(16, 3))
`),
    expected: said('refused\n'),
  },
  {
    name: 'kill everybody',
    code: 'import os\ntry: os.kill(-1, 9)\nexcept OSError as e: print(e)\ntry: os.kill(1, 9)\nexcept OSError: pass\nprint("alive")',
    expected: said(/alive\n$/),
  },
  {
    name: 'a setuid program',
    code: 'import os, subprocess\nsubprocess.run(["/usr/bin/su", "-c", "id"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\nprint(os.getresuid()[0] > 1000, open("/proc/self/status").read().split("CapEff:")[1].split()[0])',
    expected: said(/True 0000000000000000\n$/),
  },
  {
    name: 'the network: metadata, this host, the worker',
    code: refused(`
for address in [("169.254.169.254", 80), ("127.0.0.1", PORT), ("10.0.0.1", 80)]:
    def connect():
        s = socket.socket(); s.settimeout(1); s.connect(address); return "connected"
    attempt(address, connect)
def abstract():
    s = socket.socket(socket.AF_UNIX); s.connect(WORKER + "/w.sock"); return "connected"
attempt("worker", abstract)
`),
    expected: said('refused\n'),
  },
  {
    name: 'type into a terminal',
    code: refused(`
import fcntl
attempt("TIOCSTI", lambda: fcntl.ioctl(0, 0x5412, b"x"))
attempt("tty", lambda: open("/dev/tty"))
`),
    expected: said('refused\n'),
  },
];

const view = (result: Result) => ({
  ...result,
  said: Buffer.from(result.stdout).toString(),
  reason: `${result.reason ?? ''} ${Buffer.from(result.stderr).toString().slice(-300)}`,
});

interface Left {
  descriptors: number;
  mounts: number;
  cgroups: number;
  directories: number;
}

/** What must be the same after a run as before it. */
function left(rig: Rig): Left {
  const own = readFileSync('/proc/self/cgroup', 'utf8');
  return {
    descriptors: openDescriptors(),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length,
    cgroups: cgroupRuns(own).length,
    directories: readdirSync(rig.workDirectory).length,
  };
}

function cgroupRuns(own: string): string[] {
  return own.split('\n').flatMap((line) => {
    const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const folder = join(
      '/sys/fs/cgroup',
      controllers.split(',')[0] ?? '',
      path,
      'scriptd-python-1',
    );
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('run-')) : [];
  });
}

t.test('hostile scripts, each beside a neighbour', { skip, timeout: 300_000 }, async (t) => {
  const rig = await startRig(t, 'python', { isolation: 'strict', slots: 2 });
  const { controller } = rig;
  writeFileSync(join(rig.folder, 'secret'), 'secret', { mode: 0o644 });
  const server = createServer((_request, response) => response.end('reached'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const preamble = `WORKER = ${JSON.stringify(rig.folder)}; PORT = ${port}\n`;
  await controller.run({ code: 'print("warm")' });
  const before = left(rig);
  for (const { name, code, limits, stdin, expected } of rows) {
    const neighbour = controller.start({
      code: 'import time; time.sleep(0.2); print("undisturbed")',
    });
    const request = { code: preamble + code, ...(limits && { limits }), ...(stdin && { stdin }) };
    t.match(view(await controller.run(request)), expected, name);
    t.match(
      view(await controller.result(neighbour)),
      { said: 'undisturbed\n' },
      `${name}: neighbour`,
    );
    const next = await controller.run({ code: 'print("next")' });
    t.match(view(next), { said: 'next\n' }, `${name}: next`);
    await eventually(() => JSON.stringify(left(rig)) === JSON.stringify(before));
    t.same(left(rig), before, `${name}: nothing is left`);
  }
});

t.test(
  'a program below /tmp runs, and nothing else of the host shows there',
  { skip },
  async (t) => {
    const folder = temporaryFolder(t);
    const program = join(folder, 'sh');
    copyFileSync('/bin/bash', program);
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, '..', `scriptd-seen-${process.pid}`), 'x');
    t.teardown(() => rmSync(join(folder, '..', `scriptd-seen-${process.pid}`)));
    const runtime = { command: [program] };
    const { controller } = await startRig(t, 'below', { isolation: 'strict', runtime });
    const result = await controller.run({ code: 'echo /tmp/* && touch /tmp/mine && echo $0' });
    t.equal(view(result).said, `${folder}\nscript\n`);
  },
);

t.test('usage is counted', { skip }, async (t) => {
  const { controller } = await startRig(t, 'python', { isolation: 'strict' });
  const code =
    'import time\nx = bytearray(100 << 20)\nwhile time.process_time() < 0.3: pass\nprint(time.process_time())';
  const result = await controller.run({ code });
  const { usage } = result;
  const counted = usage?.cpuMs ?? 0;
  const own = Number(view(result).said) * 1000;
  // What the script saw itself, and little more: its first process and its end.
  t.ok(counted > 0.9 * own && counted < 5 * own, `${counted} ms of processor time, for ${own} ms`);
  const mebibytes = (usage?.memoryPeakBytes ?? 0) / (1 << 20);
  t.ok(mebibytes > 100 && mebibytes < 130, `${mebibytes} MiB`);
  t.ok((usage?.processesPeak ?? 0) >= 1);
});
