import { readFileSync, readSync } from 'node:fs';
import t from 'tap';
import { startProcess } from '../../src/worker/sandbox.js';
import type { SpawnPlan } from '../../src/worker/spawn-plan.js';
import { closeAll, ended, finish, python, run, shell, statFields } from './sandbox-process.js';

t.test('output and exit code come back, each stream by itself', async (t) => {
  const { stdout, stderr, exitCode, signal } = await run(shell('echo out; echo err >&2; exit 3'));
  t.same(
    { stdout, stderr, exitCode, signal },
    {
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 3,
      signal: undefined,
    },
  );
});

t.test('an exit code of 137 and a death by SIGKILL are told apart', async (t) => {
  t.match(await run(shell('exit 137')), { exitCode: 137, signal: undefined });
  t.match(await run(shell('kill -KILL $$')), { exitCode: undefined, signal: 'SIGKILL' });
});

t.test('CPU time and memory are reported', async (t) => {
  const fill = 'x = bytearray(200_000_000)\nfor i in range(0, len(x), 4096): x[i] = 1';
  const status = await run(shell('', { file: python, argv: ['python3', '-c', fill] }));
  t.equal(status.exitCode, 0, status.stderr);
  t.ok(status.memoryPeakBytes >= 200_000_000, `${status.memoryPeakBytes} bytes`);
  t.ok(status.userMs + status.systemMs > 0);
});

t.test('stdin: a pipe carries what is written and its end, "null" is empty', async (t) => {
  const input = 'line\n'.repeat(100_000);
  t.equal((await run(shell('cat', { stdin: 'pipe' }), input)).stdout, input);
  t.match(await run(shell('cat', { stdin: 'null' })), { stdout: '', exitCode: 0 });
});

t.test('our ends of the pipes do not block, the ends of the process do', async (t) => {
  const started = startProcess(
    shell('cat >/dev/null; cat /proc/self/fdinfo/0 /proc/self/fdinfo/1 /proc/self/fdinfo/2', {
      stdin: 'pipe',
    }),
  );
  t.throws(() => readSync(started.stdout, Buffer.alloc(1)), { code: 'EAGAIN' });
  const { stdout } = await finish(started);
  const flags = [...stdout.matchAll(/^flags:\s+(\d+)$/gm)].map(([, octal]) =>
    Number.parseInt(octal ?? '', 8),
  );
  t.equal(flags.length, 3);
  for (const flag of flags) t.equal(flag & 0o4000, 0, 'O_NONBLOCK is not set');
});

t.test('the environment is exactly what was given', async (t) => {
  const plan = shell('', { file: '/usr/bin/env', argv: ['env'] });
  t.equal((await run({ ...plan, env: {} })).stdout, '');
  t.equal((await run({ ...plan, env: { A: '1', B: 'x=y', Ü: '' } })).stdout, 'A=1\nB=x=y\nÜ=\n');
});

t.test('arguments arrive as they are, argv[0] too', async (t) => {
  const argv = ['another name', '/proc/self/cmdline', ''];
  const { stdout } = await run(shell('', { file: '/bin/cat', argv: argv.slice(0, 2) }));
  t.equal(stdout, 'another name\0/proc/self/cmdline\0');
  const echo = 'import sys; print(sys.argv[1:])';
  const plan = shell('', { file: python, argv: ['p', '-c', echo, '', 'ä b', '$HOME'] });
  t.equal((await run(plan)).stdout, "['', 'ä b', '$HOME']\n");
});

t.test('the process is in the directory that was given, with umask 022', async (t) => {
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const cwd = t.testdir();
  t.equal((await run(shell('pwd; umask', { cwd }))).stdout, `${cwd}\n0022\n`);
});

t.test('it has a session and a process group of its own, and no terminal', async (t) => {
  const started = startProcess(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/stat'] }));
  const { stdout } = await finish(started);
  const [, parent, group, session, terminal] = statFields(stdout).map(Number);
  t.same(
    { parent, group, session, terminal },
    { parent: process.pid, group: started.pid, session: started.pid, terminal: 0 },
  );
});

t.test('signals have their default action and none is blocked, whatever node does', async (t) => {
  const ignored = /^SigIgn:\s+0*([0-9a-f]+)$/m;
  t.not(ignored.exec(readFileSync('/proc/self/status', 'utf8'))?.[1], '0', 'node ignores SIGPIPE');
  const status = await run(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/status'] }));
  t.match(status.stdout, /^SigIgn:\s+0+$/m);
  t.match(status.stdout, /^SigBlk:\s+0+$/m);
  t.match(status.stdout, /^SigCgt:\s+0+$/m);
});

t.test('a program that writes into a closed pipe is ended by SIGPIPE', async (t) => {
  const { pid, pidfd, stdin, stdout, stderr } = startProcess(
    shell('read line; exec yes', { stdin: 'pipe' }),
  );
  closeAll(stdout, stderr, pidfd);
  closeAll(stdin ?? -1); // ends `read`
  t.equal((await ended(pid)).signal, 'SIGPIPE');
});

t.test('it can gain no privilege by execve', async (t) => {
  const status = await run(shell('', { file: '/bin/cat', argv: ['cat', '/proc/self/status'] }));
  t.match(status.stdout, /^NoNewPrivs:\s+1$/m);
});

t.test('resource limits hold inside', async (t) => {
  const show = `
import json, resource as r
names = ['CPU', 'FSIZE', 'NOFILE', 'NPROC', 'CORE', 'STACK', 'AS']
print(json.dumps({name: r.getrlimit(getattr(r, 'RLIMIT_' + name)) for name in names}))`;
  const plan = shell('', { file: python, argv: ['python3', '-c', show] });
  const seen = async (limits: SpawnPlan['limits']) =>
    JSON.parse((await run({ ...plan, limits })).stdout);
  const all = {
    cpuSeconds: 7,
    fileSizeBytes: 1_000_000,
    openFiles: 50,
    processes: 1000,
    stackBytes: 4_000_000,
    addressSpaceBytes: 8_000_000_000,
  };
  t.same(await seen(all), {
    CPU: [7, 8],
    FSIZE: [1_000_000, 1_000_000],
    NOFILE: [50, 50],
    NPROC: [1000, 1000],
    CORE: [1, 1],
    STACK: [4_000_000, 4_000_000],
    AS: [8_000_000_000, 8_000_000_000],
  });
  const { AS, CORE } = await seen({});
  t.not(AS[1], 8_000_000_000, 'a limit that was not asked for is not set');
  t.same(CORE, [1, 1], 'except that core dumps are off');
});

t.test('the CPU limit ends a busy loop with SIGXCPU', async (t) => {
  const status = await run(shell('while :; do :; done', { limits: { cpuSeconds: 1 } }));
  t.match(status, { exitCode: undefined, signal: 'SIGXCPU' });
});

t.test('the file size limit ends a program that writes too much', async (t) => {
  const plan = shell('exec head -c 2000 /dev/zero >big', {
    cwd: t.testdir(),
    limits: { fileSizeBytes: 1000 },
  });
  t.match(await run(plan), { signal: 'SIGXFSZ' });
});
