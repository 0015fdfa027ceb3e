import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, readFileSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/native.js';
import { readStatus, type StartStatus } from '../../src/worker/process-end.js';
import { startProcess } from '../../src/worker/sandbox.js';
import type { SpawnPlan, StrictPlan } from '../../src/worker/spawn-plan.js';
import { attacksOnFirst } from './attacks.js';
import { deniedCalls, errnos } from './denied-calls.js';
import { skip, strictPlan } from './sandbox-plans.js';
import {
  children,
  closeAll,
  drained,
  drainedBytes,
  ended,
  gone,
  openDescriptors,
  processModule,
  python,
  sandboxModule,
  shell,
} from './sandbox-process.js';
import { eventually } from './test-worker.js';

const strict = strictPlan;
const { directory: capacity, uid } = strict;

interface Result {
  stdout: string;
  stderr: string;
  status: StartStatus | undefined;
}

async function inside(
  script: string,
  overrides: Partial<StrictPlan> = {},
  plan: Partial<SpawnPlan> = {},
): Promise<Result> {
  const started = startProcess(shell(script, { strict: { ...strict, ...overrides }, ...plan }));
  const { pid, pidfd, stdout, stderr, status = -1 } = started;
  const [out, err, said] = await Promise.all([
    drained(stdout),
    drained(stderr),
    drainedBytes(status),
  ]);
  closeSync(pidfd);
  await ended(pid);
  return { stdout: out, stderr: err, status: readStatus(said) };
}

/** What a Python program prints, as JSON. */
async function inPython(program: string, overrides: Partial<StrictPlan> = {}): Promise<unknown> {
  const plan = { file: python, argv: [python, '-c', program] };
  const { stdout, stderr } = await inside('', overrides, plan);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

t.test('output, exit code and signal come back', { skip }, async (t) => {
  t.same(await inside('echo out; echo err >&2; exit 137'), {
    stdout: 'out\n',
    stderr: 'err\n',
    status: { kind: 'ended', exitCode: 137 },
  });
  t.same((await inside('kill -KILL $$')).status, { kind: 'ended', signal: 'SIGKILL' });
});

t.test(
  'it is alone with its init, which it can neither kill nor look into',
  { skip },
  async (t) => {
    const { stdout } = await inside(`
    echo $$; echo /proc/[0-9]*; hostname
    kill -KILL 1; cat /proc/1/environ 2>&1; ls /proc/1/root 2>&1; ls /proc/1/fd 2>&1`);
    const [pid, processes, host, ...looks] = stdout.trim().split('\n');
    t.same([pid, host], ['2', 'scriptd']);
    t.match(processes, /^\/proc\/1 \/proc\/2\b/);
    t.equal(looks.length, 3, stdout);
    for (const look of looks) t.match(look, /Permission denied/);
    t.match((await inside('kill -KILL -1; exit 3')).status, { kind: 'ended' });
  },
);

t.test('what it leaves behind is dead at its end', { skip }, async (t) => {
  const { status, stdout } = await inside(
    'mkfifo up; setsid sh -c "sleep 1000 & echo here; : >up" & read x <up; exit 0',
  );
  t.same(status, { kind: 'ended', exitCode: 0 });
  t.equal(stdout, 'here\n');
  t.same(children(), []);
});

t.test('there is no network but a loopback that is down', { skip }, async (t) => {
  const interfaces = `
import fcntl, json, socket, struct
s = socket.socket()
names = [line.split(':')[0].strip() for line in open('/proc/net/dev').readlines()[2:]]
flags = struct.unpack('16sh', fcntl.ioctl(s, 0x8913, struct.pack('16sh', b'lo', 0)))[1]
print(json.dumps([names, flags & 1]))`;
  t.same(await inPython(interfaces), [['lo'], 0]);
});

t.test('no two runs are in the same network namespace', { skip }, async (t) => {
  // More at a time than are made ahead; all of them live until the last has said its own.
  const hosts = readlinkSync('/proc/self/ns/net');
  const all = Array.from({ length: 8 }, () => {
    const started = startProcess(
      shell('readlink /proc/self/ns/net; cat', { stdin: 'pipe', strict }),
    );
    return { ...started, out: new Socket({ fd: started.stdout, writable: false }) };
  });
  const names = await Promise.all(all.map(async ({ out }) => String(await once(out, 'data'))));
  for (const { stdin, stderr, status = -1, out } of all) {
    closeAll(stdin ?? -1, stderr, status);
    out.destroy();
  }
  for (const { pid, pidfd } of all) {
    closeSync(pidfd);
    await ended(pid);
  }
  t.equal(new Set([...names, `${hosts}\n`]).size, 9);
});

t.test('nothing but its own directories can be written', { skip }, async (t) => {
  const { stdout } = await inside(`
    for path in / /usr /etc /etc/hosts /dev /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do
      if [ -d $path ]; then ( : >$path/x ) 2>/dev/null; else ( : >$path ) 2>/dev/null; fi
      echo $path $?
    done
    for path in /work /tmp /dev/shm; do : >$path/x; echo $path $?; done
    for path in /root/.ssh /home /sys /run /var ${packageRoot}; do ls $path 2>/dev/null; done
    pwd`);
  const denied = stdout.split('\n').slice(0, 7);
  for (const line of denied) t.notMatch(line, / 0$/, line);
  t.equal(stdout.split('\n').slice(7).join(' '), '/work 0 /tmp 0 /dev/shm 0 /work ');
});

t.test('bytes and files are capped in each of them', { skip }, async (t) => {
  for (const path of ['/work', '/tmp', '/dev/shm']) {
    const { stdout, stderr } = await inside(`
      cd ${path}; head -c 2000000 /dev/zero >big; stat -c %s big
      rm big; i=0; while [ $i -lt 100 ] && (: >$i) 2>/dev/null; do i=$((i+1)); done; ls | wc -l`);
    const [bytes, files] = stdout.trim().split('\n').map(Number);
    t.equal(bytes, capacity.bytes);
    t.ok((files ?? 100) <= capacity.inodes, `${files} files`);
    t.match(stderr, /No space left/);
  }
});

t.test('it has its ids, no capability, and no way to gain one', { skip }, async (t) => {
  const { stdout } = await inside('id -u; id -g; cat /proc/self/status');
  t.match(stdout, new RegExp(`^${uid}\n${uid}\n`));
  for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
    t.match(stdout, new RegExp(`^Cap${set}:\\s0+$`, 'm'));
  t.match(stdout, /^NoNewPrivs:\s1$/m);
  t.match(stdout, /^Seccomp:\s2$/m);
  t.match(stdout, /^SigIgn:\s0+$/m);
  t.match(stdout, /^SigBlk:\s0+$/m);
  t.equal(
    (await inside('', {}, { file: '/usr/bin/env', argv: ['env'], env: { A: 'b' } })).stdout,
    'A=b\n',
  );
  // By itself: a shell may still have the ends of a pipeline open. The fourth is the look's.
  const listed = await inside('', {}, { file: '/bin/ls', argv: ['ls', '/proc/self/fd'] });
  t.equal(listed.stdout, '0\n1\n2\n3\n');
});

t.test('files are there, with their modes', { skip }, async (t) => {
  const files = [
    { name: 'a/b/c.txt', content: Buffer.from('text') },
    { name: 'run', content: Buffer.from('#!/bin/sh\necho ran'), mode: 0o755 },
    { name: 'large', content: Buffer.alloc(500_000, 'x') },
  ];
  const { stdout } = await inside(
    'cat a/b/c.txt; echo; ./run; stat -c "%a %u %s" run a/b large; rm -r a; ls',
    { files },
  );
  t.equal(stdout, `text\nran\n755 ${uid} 18\n755 ${uid} 60\n644 ${uid} 500000\nlarge\nrun\n`);
  for (const name of ['../x', '/x', 'a//b', 'a/..', '.', '', 'a\0b']) {
    t.throws(
      () =>
        startProcess(shell('', { strict: { ...strict, files: [{ name, content: Buffer.of() }] } })),
      {
        code: 'EINVAL',
      },
    );
  }
});

t.test('a path of the host can have another place inside', { skip }, async (t) => {
  const folder = t.testdir({ folder: { a: 'text of a' }, link: t.fixture('symlink', 'folder/a') });
  const { stdout } = await inside('cat /x/y/a /link; echo; ls /x; (echo b >>/link) 2>&1', {
    readOnly: [
      ...strict.readOnly,
      { source: join(folder, 'folder'), target: '/x/y' },
      { source: join(folder, 'link'), target: '/link' },
    ],
  });
  t.match(stdout, /^text of atext of a\ny\n.*cannot create/);
});

t.test('a step that fails is named', { skip }, async (t) => {
  const failed = async (overrides: Partial<StrictPlan>, plan: Partial<SpawnPlan> = {}) =>
    (await inside('', overrides, plan)).status;
  t.same(await failed({ readOnly: ['/nope'] }), {
    kind: 'failed',
    step: 'read-only',
    errno: 2,
    detail: '/nope',
  });
  t.same(await failed({ readOnly: ['/dev/null'] }), {
    kind: 'failed',
    step: 'read-only',
    errno: 22,
    detail: '/dev/null',
  });
  t.same(await failed({}, { file: '/no/such' }), {
    kind: 'failed',
    step: 'execve',
    errno: 2,
    detail: '/no/such',
  });
  const large = { name: 'large', content: Buffer.alloc(2_000_000) };
  t.same(await failed({ files: [large] }), {
    kind: 'failed',
    step: 'files',
    errno: 28,
    detail: 'large',
  });
  t.equal(readStatus(Buffer.from('E')), undefined);
});

t.test('each system call of the deny list is refused', { skip }, async (t) => {
  const numbers = Object.fromEntries(
    Object.entries(deniedCalls).map(([name, [number]]) => [name, number]),
  );
  const program = `
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    ctypes.set_errno(0)
    return ctypes.get_errno() if libc.syscall(*map(ctypes.c_long, arguments)) == -1 else 0
result = {name: call(number, 0, 0, 0, 0, 0) for name, number in json.loads('''${JSON.stringify(numbers)}''').items()}
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    result['clone %x' % flag] = call(56, flag | 17, 0, 0, 0, 0)
result.update(netlink=call(41, 16, 3, 0), packet=call(41, 17, 3, 0), vsock=call(41, 40, 1, 0))
result.update(inet=call(41, 2, 1, 0), inet6=call(41, 10, 1, 0) % 97, unix=call(41, 1, 1, 0))
result.update(tiocsti=call(16, 0, 0x5412, 0), tiocsti_high=call(16, 0, 0x1_0000_5412, 0), tioclinux=call(16, 0, 0x541c, 0))
result.update(personality=call(135, 0x40000), query=call(135, 0xffffffff))
print(json.dumps(result))`;
  const { EPERM, EAFNOSUPPORT } = errnos;
  const clones = ['20000', '2000000', '4000000', '8000000', '10000000', '20000000', '40000000'];
  t.same(await inPython(program), {
    ...Object.fromEntries(Object.entries(deniedCalls).map(([name, [, errno]]) => [name, errno])),
    ...Object.fromEntries(clones.map((flag) => [`clone ${flag}`, EPERM])),
    ...{
      netlink: EAFNOSUPPORT,
      packet: EAFNOSUPPORT,
      vsock: EAFNOSUPPORT,
      inet: 0,
      inet6: 0,
      unix: 0,
    },
    ...{ tiocsti: EPERM, tiocsti_high: EPERM, tioclinux: EPERM, personality: EPERM, query: 0 },
  });
  const x32 = 'import ctypes; ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39)); print(1)';
  const { status } = await inside('', {}, { file: python, argv: [python, '-c', x32] });
  t.same(status, { kind: 'ended', signal: 'SIGSYS' });
});

t.test('its first process can be neither slowed down nor limited', { skip }, async (t) => {
  const { stdout } = await inside(`${attacksOnFirst} nice -n 5 echo end`);
  t.equal(stdout, 'end\n');
  const { stdout: own } = await inside(
    'renice -n 5 -p $$ >/dev/null && taskset -p 1 $$ >/dev/null && echo own',
  );
  t.equal(own, 'own\n', 'its own it may');
});

t.test('it dies with its worker when that is killed by SIGKILL', { skip }, async (t) => {
  const program = `
import { startProcess } from ${JSON.stringify(sandboxModule)};
import { shell } from ${JSON.stringify(processModule)};
const { pid } = startProcess(shell('exec sleep 1000', { strict: ${JSON.stringify(strict)} }));
process.stdout.write(pid + '\\n');
setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  await gone(Number(line));
  t.pass('it is gone');
});

t.test('500 starts, 10 at a time, leave nothing', { skip }, async (t) => {
  await inside('');
  const before = { descriptors: openDescriptors(), mounts: mounts() };
  let right = 0;
  const chain = async () => {
    for (let i = 0; i < 50; i++) {
      const { status } = await inside('exit 1');
      if (status?.kind === 'ended' && status.exitCode === 1) right++;
    }
  };
  await Promise.all(Array.from({ length: 10 }, chain));
  t.equal(right, 500);
  t.same(children(), []);
  t.equal(mounts(), before.mounts);
  // What the addon makes ahead, it also lets go of: others than before must not be there for good.
  const more = () => openDescriptors().filter((fd) => !before.descriptors.includes(fd));
  await eventually(() => more().length === 0);
  t.same(more(), []);
});

function mounts(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8');
}
