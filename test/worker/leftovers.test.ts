import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import { Poller } from '../../src/poll/poller.js';
import type { Result } from '../../src/task.js';
import { BasicIsolation } from '../../src/worker/basic-isolation.js';
import { cgroupsStay } from '../../src/worker/cgroup/cgroup.js';
import { findCgroups } from '../../src/worker/cgroup/find.js';
import { Deadlines } from '../../src/worker/deadlines.js';
import { WorkRoot } from '../../src/worker/directory.js';
import { Execution } from '../../src/worker/execution.js';
import { cgroupName } from '../../src/worker/isolation.js';
import { killProcessesOf } from '../../src/worker/processes-of.js';
import type { ProcessRuntime } from '../../src/worker/runtimes/runtime.js';
import { ScriptIds } from '../../src/worker/script-ids.js';
import { enclosuresMax } from '../../src/worker/warm/plan.js';
import { Starter } from '../../src/worker/warm/starter.js';
import { enter, lackingCgroups } from './cgroup-host.js';
import { defaultLimits } from './test-controller.js';
import { eventually, isAlive, startRig, temporaryFolder } from './test-worker.js';

const skip = lackingCgroups();

const nowMs = () => performance.now();

const bash: ProcessRuntime = {
  kind: 'process',
  file: '/bin/bash',
  prefixes: [],
  scriptName: 'script.sh',
  env: {},
  argv: (args) => ['/bin/bash', 'script.sh', ...args],
};

const said = (result: { stdout: Uint8Array }) => Buffer.from(result.stdout).toString().trim();

for (const [what, code] of [
  ['a child', 'sleep 1000 >/dev/null 2>&1 & echo $!'],
  ['one that has left its session', 'setsid sleep 1000 >/dev/null 2>&1 & echo $!; sleep 0.01'],
] as const) {
  t.test(`basic: ${what} that a script leaves behind is ended`, { skip }, async (t) => {
    const rig = await startRig(t, 'bash', { isolation: 'basic', slots: 1 });
    const pids: number[] = [];
    for (let index = 0; index < 3 * enclosuresMax(1); index++) {
      const result = await rig.controller.run({ code });
      t.match(result, { outcome: 'success', code: undefined });
      pids.push(Number(said(result)));
    }
    t.match(await rig.controller.run({ code: '(exit 0) && echo fine' }), { outcome: 'success' });
    await eventually(() => !pids.some(isAlive));
    await eventually(() => readdirSync(rig.workDirectory).length <= rig.worker.stats().ready);
    await rig.worker.close();
    t.strictSame(readdirSync(rig.workDirectory), []);
    t.strictSame(
      rig.logged.filter(({ level }) => Number(level) >= 50),
      [],
    );
  });
}

t.test('what cannot be ended at once does not keep a worker from closing', { skip }, async (t) => {
  const name = `bash-left-${process.pid}`;
  const rig = await startRig(t, 'bash', { name, isolation: 'basic', slots: 1 });
  await rig.controller.run({ code: 'true' });
  const host = findCgroups(cgroupName(name, rig.workDirectory));
  if (!('version' in host)) throw new Error(host.detail);
  const stranger = host.create({ memoryBytes: 64 << 20, processes: 8 });
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  enter(stranger, child.pid ?? 0);
  await rig.worker.close();
  t.ok(rig.logged.some(({ msg }) => msg === cgroupsStay));
  child.kill('SIGKILL');
  await once(child, 'exit');
  stranger.release();
  t.ok(host.close());
});

t.test('what a killed predecessor left running is in nobody’s way', { skip }, async (t) => {
  const name = `bash-left-${process.pid}`;
  const workDirectory = join(temporaryFolder(t), 'work');
  const before = findCgroups(cgroupName(name, workDirectory));
  if (!('version' in before)) throw new Error(before.detail);
  const left = before.create({ memoryBytes: 64 << 20, processes: 8 });
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  enter(left, child.pid ?? 0);
  const rig = await startRig(t, 'bash', { name, workDirectory, isolation: 'basic', slots: 1 });
  for (let index = 0; index < 3; index++) {
    t.match(await rig.controller.run({ code: 'true' }), { outcome: 'success' });
  }
  child.kill('SIGKILL');
  await once(child, 'exit');
  left.release();
});

const needsRoot = process.geteuid?.() === 0 ? false : 'needs root';
/** Of this test alone. */
const ownIds = 1_811_000_000 + (process.pid % 100_000) * 100;

t.test('processes of an id, and no others, are killed', { skip: needsRoot }, async (t) => {
  const [mine = 0, other = 0] = [ownIds + 98, ownIds + 99];
  const forks = 'sleep 1000 & sleep 1000 & echo x; wait';
  const child = spawn('bash', ['-c', forks], { uid: mine, stdio: ['ignore', 'pipe', 'ignore'] });
  const stays = spawn('sleep', ['1000'], { uid: other, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  t.strictSame([...killProcessesOf(new Set([mine]))], [mine]);
  await ended;
  await eventually(() => killProcessesOf(new Set([mine])).size === 0);
  t.ok(isAlive(stays.pid ?? 0));
  stays.kill('SIGKILL');
  await once(stays, 'exit');
});

t.test(
  'basic without cgroups: what is left of a run is found by its id',
  { skip: needsRoot },
  async (t) => {
    const poller = new Poller();
    const folder = temporaryFolder(t);
    const errors: unknown[] = [];
    const log = pino({ level: 'error' }, { write: (line) => errors.push(JSON.parse(line)) });
    const deadlines = new Deadlines((onExpire) => poller.timer(onExpire), nowMs);
    const root = new WorkRoot(join(folder, 'work', 'bash-1'), log);
    const ids = { first: ownIds, count: 100, log };
    const isolation = new BasicIsolation(bash, root, undefined, ids);
    t.ok(isolation.also.includes('identity'));
    const starter = new Starter({ runtime: bash, isolation, poller, readyMax: 0, nowMs, log });
    const context = { runtime: bash, starter, poller, deadlines, nowMs, log };
    const run = (code: string, processes: number) =>
      new Promise<Result>((resolve) => {
        const limits = { ...defaultLimits, processes };
        const task = { kind: 'execute', taskId: 'task', attempt: 1, code, limits } as const;
        const events = { onStarted: () => undefined, onEnd: resolve };
        new Execution(context, { task, receivedAtMs: nowMs() }, events).begin();
      });
    const leave =
      'for i in {1..10}; do setsid sleep 1000 >/dev/null 2>&1 & echo $!; done; sleep 0.1';
    const left = said(await run(leave, 64))
      .split('\n')
      .map(Number);
    t.equal(left.length, 10);
    const users = new Set<string>();
    for (let index = 0; index < 7; index++) {
      const result = await run('id -u; (exit 0)', 8);
      t.match(result, { outcome: 'success', reason: undefined });
      users.add(said(result));
      await isolation.settled();
    }
    t.equal(users.size, 7);
    t.notOk(left.some(isAlive));
    t.strictSame(readdirSync(root.path), []);
    t.strictSame(errors, []);
    await starter.close();
    isolation.close();
    deadlines.close();
    poller.close();
  },
);

t.test('ids come in turn', async (t) => {
  const ids = new ScriptIds(1_000, 4);
  const first = ids.take();
  ids.giveBack(first);
  const others = [ids.take(), ids.take(), ids.take()];
  t.strictSame([first, ...others].sort(), [1_000, 1_001, 1_002, 1_003]);
  ids.giveBack(others[1] ?? 0);
  t.equal(ids.take(), first);
  t.equal(ids.take(), others[1], 'those that are taken are passed over');
  t.throws(() => ids.take());
});
