import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { InvariantError } from '../../src/invariant.js';
import { loadAddon } from '../../src/native.js';
import { reap, signalGroup } from '../../src/worker/process-end.js';
import { startProcess } from '../../src/worker/sandbox.js';
import type { SpawnPlan } from '../../src/worker/spawn-plan.js';
import { children, openDescriptors, run, shell } from './sandbox-process.js';

/** Asserts what is thrown, and that the attempt leaves no process, zombie or descriptor. */
function refuses(t: Test, plan: SpawnPlan, expected: object): void {
  const before = { processes: children(), descriptors: openDescriptors() };
  t.throws(() => startProcess(plan), { name: 'ScriptdError', ...expected });
  t.same({ processes: children(), descriptors: openDescriptors() }, before);
}

t.test('a file that is missing or cannot be executed', async (t) => {
  const folder = t.testdir({ data: 'no program', empty: {} });
  refuses(t, shell('', { file: '/no/such/file' }), {
    code: 'ENOENT',
    syscall: 'execve',
    errno: 2,
    message:
      '/no/such/file cannot be started: execve failed with ENOENT (no such file or directory)',
  });
  const data = join(folder, 'data');
  refuses(t, shell('', { file: data }), { code: 'EACCES', syscall: 'execve' });
  refuses(t, shell('', { file: join(folder, 'empty') }), { code: 'EACCES', syscall: 'execve' });
  chmodSync(data, 0o755);
  refuses(t, shell('', { file: data }), { code: 'ENOEXEC', syscall: 'execve' });
});

t.test('a directory that is missing or none', async (t) => {
  refuses(t, shell('', { cwd: '/no/such/folder' }), {
    code: 'ENOENT',
    syscall: 'chdir',
    message:
      '/bin/sh cannot be started in /no/such/folder: chdir failed with ENOENT (no such file or directory)',
  });
  refuses(t, shell('', { cwd: '/etc/passwd' }), { code: 'ENOTDIR', syscall: 'chdir' });
});

t.test('arguments that are larger than the kernel takes', async (t) => {
  const megabyte = 'x'.repeat(2 ** 20);
  refuses(t, shell(megabyte), { code: 'E2BIG', syscall: 'execve' });
  refuses(t, shell('', { env: { LARGE: megabyte } }), { code: 'E2BIG', syscall: 'execve' });
});

t.test('NUL bytes and impossible names are refused, naming the field', async (t) => {
  const cases: [Partial<SpawnPlan>, string][] = [
    [{ file: '/bin/\0sh' }, 'file contains a NUL byte'],
    [{ cwd: '/tmp\0' }, 'cwd contains a NUL byte'],
    [{ argv: ['sh', '-c', 'a\0b'] }, 'argv[2] contains a NUL byte'],
    [{ env: { A: '1\0' } }, 'env.A contains a NUL byte'],
    [{ env: { 'A\0': '1' } }, 'a name in env contains a NUL byte'],
    [{ env: { 'A=B': '1' } }, 'env: "A=B" cannot name a variable'],
    [{ env: { '': '1' } }, 'env: "" cannot name a variable'],
  ];
  for (const [overrides, message] of cases) {
    refuses(t, shell('', overrides), { code: 'EINVAL', message, syscall: undefined });
  }
});

t.test('mistakes of the programmer are assertions', async (t) => {
  const plans: Partial<SpawnPlan>[] = [
    { file: 'sh' },
    { cwd: '.' },
    { argv: [] },
    { limits: { cpuSeconds: -1 } },
    { limits: { cpuSeconds: 0.5 } },
    { limits: { openFiles: Number.NaN } },
    { limits: { stackBytes: Number.POSITIVE_INFINITY } },
  ];
  for (const overrides of plans) {
    t.throws(() => startProcess(shell('', overrides)), InvariantError, JSON.stringify(overrides));
  }
  // kill(0) is our own group, kill(-1) everybody; -0 and fractions would become one of them.
  for (const pid of [0, -0, 1, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => signalGroup(pid, 0), InvariantError, `signalGroup(${pid})`);
    t.throws(() => reap(pid), InvariantError, `reap(${pid})`);
  }
});

t.test('the addon checks types again', async (t) => {
  const addon = loadAddon('sandbox') as Record<string, (...values: unknown[]) => unknown>;
  const plan = {
    file: '/bin/true',
    argv: ['true'],
    env: [],
    cwd: '/',
    stdinPipe: false,
    limits: [],
  };
  const wrong: unknown[] = [
    undefined,
    1,
    'plan',
    { ...plan, file: 1 },
    { ...plan, file: 'a\0b' },
    { ...plan, argv: 'true' },
    { ...plan, argv: [1] },
    { ...plan, argv: ['a\0b'] },
    { ...plan, env: { A: '1' } },
    { ...plan, env: ['A=\0'] },
    { ...plan, cwd: undefined },
    { ...plan, stdinPipe: 'yes' },
    { ...plan, limits: {} },
    { ...plan, limits: [['cpu']] },
    { ...plan, limits: [['core', 1, 1]] },
    { ...plan, limits: [['cpu', '1', 1]] },
    { ...plan, limits: [['cpu', 2, 1]] },
    { ...plan, limits: [['cpu', -1, 1]] },
    { ...plan, limits: [['cpu', Number.NaN, 1]] },
    { ...plan, limits: [['cpu', 0, 2 ** 53]] },
  ];
  for (const value of wrong) {
    t.throws(() => addon.start?.(value), TypeError, JSON.stringify(value));
  }
  for (const pid of [undefined, '5', 1.5, -5, 0, 1, 2 ** 31, Number.NaN]) {
    t.throws(() => addon.reap?.(pid), TypeError, `reap(${pid})`);
    t.throws(() => addon.signalGroup?.(pid, 0), TypeError, `signalGroup(${pid})`);
  }
  t.throws(() => addon.signalGroup?.(process.pid, 'SIGTERM'), TypeError);
  t.throws(() => new (addon.start as unknown as new (plan: unknown) => unknown)({}), TypeError);
  t.same(children(), []);
});

t.test('signals and waits that the kernel refuses', async (t) => {
  const { signal } = await run(shell('kill -TERM $$'));
  t.equal(signal, 'SIGTERM');
  t.throws(() => reap(2 ** 22 + 1), { code: 'ECHILD', syscall: 'wait4', errno: 10 });
  t.equal(signalGroup(2 ** 22 + 1, 0), false, 'no such group: above the largest pid there can be');
});
