import { readdirSync } from 'node:fs';
import t from 'tap';
import { findCgroups } from '../../src/worker/cgroup/find.js';
import { enclosuresMax } from '../../src/worker/warm/plan.js';
import { eventually, isAlive, startRig } from './test-worker.js';

const found = findCgroups('scriptd-test-probe');
const missing = 'version' in found ? undefined : found.detail;
if ('version' in found) found.close();
// In CI a host without cgroups is a failure.
const skip = missing && !process.env.SCRIPTD_TEST_ALL ? `no cgroups here: ${missing}` : false;

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
