import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { initExecutable, sharedLibrary } from '../../src/native.js';
import { type ForkRequest, forkReplyBytes, requestFork } from '../../src/worker/fork-request.js';
import {
  execute,
  type Forked,
  finishServer,
  fork,
  reply,
  serverProgram,
  startServer,
} from './sandbox-forked.js';
import { skip, strictPlan } from './sandbox-plans.js';
import {
  children,
  closeAll,
  drained,
  gone,
  openDescriptors,
  processModule,
  python,
  sandboxModule,
  shell,
} from './sandbox-process.js';

const surroundings = `
import json, os, signal, socket, resource
def failed(call):
    try: call()
    except OSError as error: return error.errno
    return 0
print(json.dumps({
    'pid': os.getpid(), 'ppid': os.getppid(), 'sid': os.getsid(0),
    'processes': sorted(p for p in os.listdir('/proc') if p.isdigit()),
    'host': socket.gethostname(), 'ids': [os.getresuid(), os.getresgid()], 'cwd': os.getcwd(),
    'fds': sorted(int(fd) for fd in os.listdir('/proc/self/fd')),
    'status': {line.split(':')[0]: line.split()[-1] for line in open('/proc/self/status')
               if line.startswith(('Cap', 'NoNewPrivs', 'Seccomp:', 'SigBlk', 'Threads', 'Groups'))},
    'interfaces': [line.split(':')[0].strip() for line in open('/proc/net/dev') if ':' in line],
    'network': failed(lambda: socket.create_connection(('127.0.0.1', 1))),
    'home': os.path.exists('/home'), 'write': failed(lambda: open('/x', 'w')),
    'work': failed(lambda: open('/work/x', 'w')), 'umask': os.umask(0), 'input': open('a').read(),
    'init': [failed(lambda: open('/proc/1/environ').read()), failed(lambda: os.kill(1, 9)),
             failed(lambda: os.readlink('/proc/1/root')), open('/proc/1/comm').read()],
    'environ': failed(lambda: open('/proc/self/environ').read()),
    'unshare': failed(lambda: os.unshare(0x20000)) if hasattr(os, 'unshare') else 1,
    'files': resource.getrlimit(resource.RLIMIT_NOFILE), 'core': resource.getrlimit(resource.RLIMIT_CORE),
    'int': signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    'pipe': signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN,
}))`;

t.test('what a fork server makes is in a sandbox with all its walls', { skip }, async (t) => {
  const server = startServer();
  const files = [{ name: 'a', content: Buffer.from('input') }];
  const { stdout, stderr, status } = await execute(
    await fork(server.requests, { files }, { openFiles: 99 }),
    surroundings,
  );
  t.equal(stderr, '');
  t.same(status, { kind: 'ended', exitCode: 0 });
  const none = '0000000000000000';
  const { uid } = strictPlan;
  t.same(JSON.parse(stdout), {
    ...{ pid: 2, ppid: 1, sid: 2, processes: ['1', '2'], host: 'scriptd', cwd: '/work' },
    ids: [
      [uid, uid, uid],
      [uid, uid, uid],
    ],
    fds: [0, 1, 2, 3],
    status: {
      ...{ CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none },
      ...{ NoNewPrivs: '1', Seccomp: '2', SigBlk: none, Threads: '1', Groups: 'Groups:' },
    },
    ...{ interfaces: ['lo'], network: 101, home: false, write: 30, work: 0, umask: 0o22 },
    ...{ input: 'input', init: [13, 1, 13, 'scriptd-init\n'], environ: 0, unshare: 1 },
    ...{ files: [99, 99], core: [1, 1], int: true, pipe: true },
  });
  t.equal(await finishServer(server), '');
});

t.test('exit codes, signals and exceptions are told apart', { skip }, async (t) => {
  const server = startServer();
  const result = async (program: string) => await execute(await fork(server.requests), program);
  t.same((await result('raise SystemExit(7)')).status, { kind: 'ended', exitCode: 7 });
  t.same((await result('import os; os.kill(os.getpid(), 9)')).status, {
    ...{ kind: 'ended', signal: 'SIGKILL' },
  });
  const thrown = await result('1 / 0');
  t.same(thrown.status, { kind: 'ended', exitCode: 1 });
  t.match(thrown.stderr, /ZeroDivisionError/);
  const orphan = await result(`
import subprocess
print(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)`);
  t.same(orphan.status, { kind: 'ended', exitCode: 0 });
  await finishServer(server);
  t.same(children(), []);
});

t.test(
  'a script that cannot be started: the step is named, the server goes on',
  { skip },
  async (t) => {
    const server = startServer();
    const failed = await execute(await fork(server.requests, { readOnly: ['/nope'] }), '');
    t.same(failed.status, { kind: 'failed', step: 'read-only', errno: 2, detail: '/nope' });
    t.equal((await execute(await fork(server.requests), 'print(1)')).stdout, '1\n');
    await finishServer(server);
  },
);

t.test('requests that are none are refused one by one', { skip }, async (t) => {
  const server = startServer();
  writeSync(server.requests, Buffer.alloc(2 * forkReplyBytes));
  const EBADMSG = 74;
  t.same(await reply(server.requests), { errno: EBADMSG });
  t.same(await reply(server.requests), { errno: EBADMSG });
  const none = openSync('/', constants.O_RDONLY);
  const request = requestFork(
    server.requests,
    shell('', { strict: { ...strictPlan, cgroup: { v2Directory: none } } }),
  );
  t.match(await reply(server.requests), { errno: Number });
  for (const fd of [none, request.stdout, request.stderr, request.status, request.control])
    closeSync(fd);
  t.equal((await execute(await fork(server.requests), 'print(1)')).stdout, '1\n');
  await finishServer(server);
});

t.test('a socket that is full says EAGAIN, and nothing is lost by it', { skip }, async (t) => {
  const server = startServer();
  process.kill(server.pid, 'SIGSTOP');
  const taken: ForkRequest[] = [];
  const fill = () => {
    for (;;) taken.push(requestFork(server.requests, shell('', { strict: strictPlan })));
  };
  const before = openDescriptors().length;
  t.throws(fill, { code: 'EAGAIN', syscall: 'sendmsg' });
  t.equal(openDescriptors().length, before + 4 * taken.length);
  process.kill(server.pid, 'SIGKILL');
  await gone(server.pid);
  // What was in the socket went with its other end.
  for (const { stdout, stderr, status, control } of taken) {
    t.equal(await drained(status), '');
    closeAll(stdout, stderr, control);
  }
  t.throws(() => requestFork(server.requests, shell('', { strict: strictPlan })), {
    code: 'EPIPE',
  });
  await finishServer(server);
});

t.test('a run outlives its server and tells how it ended', { skip }, async (t) => {
  const server = startServer();
  const forked = await fork(server.requests);
  process.kill(server.pid, 'SIGKILL');
  await gone(server.pid);
  const { stdout, status } = await execute(forked, 'print("still"); raise SystemExit(5)');
  t.equal(stdout, 'still\n');
  t.same(status, { kind: 'ended', exitCode: 5 });
  await finishServer(server);
});

t.test('one that is given up ends when its control pipe is closed', { skip }, async (t) => {
  const server = startServer();
  t.same((await execute(await fork(server.requests), '')).status, { kind: 'ended', exitCode: 0 });
  await finishServer(server);
});

t.test(
  'server and runs die with their worker when that is killed by SIGKILL',
  { skip },
  async (t) => {
    const program = `
import { readSync } from 'node:fs';
import { readForkReply, requestFork, startForkServer } from ${JSON.stringify(join(dirname(sandboxModule), 'fork-request.js'))};
import { shell } from ${JSON.stringify(processModule)};
const argv = ${JSON.stringify([python, '-c', serverProgram, sharedLibrary()])};
const server = startForkServer(shell('', { file: argv[0], argv }));
requestFork(server.requests, shell('', { strict: ${JSON.stringify(strictPlan)} }));
const bytes = Buffer.alloc(8);
setInterval(() => {
  try { readSync(server.requests, bytes); } catch { return; }
  process.stdout.write(JSON.stringify([server.pid, readForkReply(bytes).pid]));
}, 1);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    const pids = JSON.parse(String(line)) as number[];
    t.equal(pids.length, 2);
    for (const pid of pids) await gone(pid);
  },
);

t.test('500 forks leave nothing, in the worker or in the server', { skip }, async (t) => {
  const server = startServer();
  t.equal((await execute(await fork(server.requests), 'print(1)')).stdout, '1\n');
  const descriptorsOfServer = () =>
    execFileSync('ls', [`/proc/${server.pid}/fd`], { encoding: 'utf8' });
  const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');
  const before = [openDescriptors(), mounts(), descriptorsOfServer()];
  let right = 0;
  for (let i = 0; i < 50; i++) {
    const forked: Forked[] = [];
    for (let j = 0; j < 10; j++) forked.push(await fork(server.requests));
    const program = 'import os; os._exit(1)';
    for (const { status } of await Promise.all(forked.map((one) => execute(one, program)))) {
      if (status?.kind === 'ended' && status.exitCode === 1) right++;
    }
  }
  t.equal(right, 500);
  t.same([openDescriptors(), mounts(), descriptorsOfServer()], before);
  t.same(children(), [server.pid]);
  await finishServer(server);
});

const v1 = '/sys/fs/cgroup/memory';
const v1Missing = existsSync(join(v1, 'cgroup.procs')) ? false : 'no cgroup v1 here';

t.test(
  'it is in the cgroups of version 1 that it is given',
  { skip: skip || v1Missing },
  async (t) => {
    const own = readFileSync('/proc/self/cgroup', 'utf8').match(/:memory:(.*)/)?.[1] ?? '';
    const name = `scriptd-test-${process.pid}`;
    const folder = join(v1, own, name);
    mkdirSync(folder);
    const procs = openSync(join(folder, 'cgroup.procs'), 'w');
    const server = startServer();
    const forked = await fork(server.requests, { cgroup: { v1Procs: [procs] } });
    const inside = await execute(forked, 'print(open("/proc/self/cgroup").read())');
    t.match(inside.stdout, /:memory:\/\n/);
    t.same(inside.status, { kind: 'ended', exitCode: 0 });
    const waiting = await fork(server.requests, { cgroup: { v1Procs: [procs] } });
    while (readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').length < 3) {
      await sleep(1);
    }
    await execute(waiting, '');
    closeSync(procs);
    await finishServer(server);
    rmdirSync(folder);
  },
);

t.test('an ordinary user has it too, by a user namespace', { skip }, async (t) => {
  const forkedModule = new URL('sandbox-forked.js', import.meta.url).href;
  const program = `
const { execute, finishServer, fork, startServer } = await import(${JSON.stringify(forkedModule)});
if (process.getuid() === 0) {
  process.setgroups([]);
  process.setgid(65534);
  process.setuid(65534);
}
const server = startServer('/usr/bin/python3');
const files = [{ name: 'a', content: Buffer.from('input') }];
const overrides = { files, readOnly: ['/usr', '/bin', '/lib', '/lib64'] };
const result = await execute(await fork(server.requests, overrides), ${JSON.stringify(surroundings)});
console.log(JSON.stringify({ ...result, server: await finishServer(server) }));`;
  // A checkout may lie where only root comes.
  const native = mkdtempSync(join(tmpdir(), 'scriptd-test-'));
  t.teardown(() => rmSync(native, { recursive: true }));
  for (const file of [initExecutable(), sharedLibrary()]) {
    cpSync(file, join(native, basename(file)));
  }
  cpSync(join(dirname(initExecutable()), 'sandbox.node'), join(native, 'sandbox.node'));
  chmodSync(native, 0o755);
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, SCRIPTD_NATIVE_DIR: native },
  });
  const { stdout, stderr, status, server } = JSON.parse(said);
  t.same([stderr, status, server], ['', { kind: 'ended', exitCode: 0 }, '']);
  const { uid } = strictPlan;
  t.match(JSON.parse(stdout), {
    ...{
      pid: 2,
      ids: [
        [uid, uid, uid],
        [uid, uid, uid],
      ],
      network: 101,
      write: 30,
      input: 'input',
    },
    status: { CapEff: '0000000000000000', CapPrm: '0000000000000000', NoNewPrivs: '1' },
  });
});

t.test('the library needs nothing but libc', async (t) => {
  const needed = execFileSync('readelf', ['-d', sharedLibrary()], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('(NEEDED)'));
  t.equal(needed.length, 1);
  t.match(needed[0], /\[libc\./);
});
