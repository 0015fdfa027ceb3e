import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cgroupsStay } from '../../src/worker/cgroup/cgroup.js';
import { findCgroups } from '../../src/worker/cgroup/find.js';
import { cgroupName } from '../../src/worker/isolation.js';
import { enclosuresMax } from '../../src/worker/warm/plan.js';
import { enter, lackingCgroups } from './cgroup-host.js';
import { eventually, isAlive, startRig, temporaryFolder } from './test-worker.js';

const skip = lackingCgroups();

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
