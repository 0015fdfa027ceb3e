import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { CgroupHost, RunCgroup } from '../../src/worker/cgroup/cgroup.js';
import { findCgroups } from '../../src/worker/cgroup/find.js';
import { enter, lackingCgroups } from './cgroup-host.js';

const skip = lackingCgroups();

let hosts = 0;
function setUp(test: Test): CgroupHost {
  const host = findCgroups(`scriptd-test-${process.pid}-${++hosts}`);
  if (!('version' in host)) throw new Error(host.detail);
  test.teardown(() => host.close());
  return host;
}

/** Runs a shell command in the cgroup: it enters before it does anything. */
async function runIn(cgroup: RunCgroup, command: string): Promise<number | null> {
  const child = spawn('bash', ['-c', `read; ${command}`], { stdio: ['pipe', 'ignore', 'ignore'] });
  enter(cgroup, child.pid ?? 0);
  const ended = once(child, 'exit');
  child.stdin.end('\n');
  return (await ended)[0] as number | null;
}

t.test('usage is counted over all processes of a run', { skip }, async (t) => {
  const cgroup = setUp(t).create({ memoryBytes: 256 << 20, processes: 32 });
  t.teardown(() => cgroup.release());
  const busy = 'for i in {1..60000}; do :; done';
  t.equal(await runIn(cgroup, `(${busy}) & (${busy}) & wait`), 0);
  const usage = cgroup.usage();
  t.ok(usage.cpuMs > 10, `${usage.cpuMs} ms of processor time`);
  t.ok(usage.memoryPeakBytes > 100_000, `${usage.memoryPeakBytes} bytes at most`);
  t.match(usage, { oomKills: 0, forksRefused: 0 });
});

t.test('memory over the limit is an OOM kill, also of a child', { skip }, async (t) => {
  const host = setUp(t);
  const eat = "python3 -c 'x = bytearray(200 << 20)'";
  for (const command of [`exec ${eat}`, `${eat}; exit 1`]) {
    const cgroup = host.create({ memoryBytes: 64 << 20, processes: 32 });
    t.not(await runIn(cgroup, command), 0);
    t.ok(cgroup.usage().oomKills > 0, command);
    cgroup.release();
  }
});

t.test('more processes than the limit are refused, and counted', { skip }, async (t) => {
  const cgroup = setUp(t).create({ memoryBytes: 256 << 20, processes: 4 });
  t.teardown(() => cgroup.release());
  await runIn(cgroup, 'for i in 1 2 3 4 5 6 7 8; do sleep 0.5 & done; wait');
  t.ok(cgroup.usage().forksRefused > 0);
});

t.test('nothing is left of a host that is closed', { skip }, async (t) => {
  const host = setUp(t);
  const cgroup = host.create({ memoryBytes: 64 << 20, processes: 4 });
  cgroup.release();
  host.close();
  t.notMatch(readFileSync('/proc/self/mountinfo', 'utf8'), `scriptd-test-${process.pid}`);
  t.equal('version' in findCgroups(`scriptd-test-${process.pid}-${hosts}`), true);
});

t.test('what runs in it keeps it, until it is killed', { skip }, async (t) => {
  const cgroup = setUp(t).create({ memoryBytes: 256 << 20, processes: 32 });
  await runIn(cgroup, 'for i in 1 2 3; do setsid sleep 1000 & done; sleep 0.05');
  t.throws(() => cgroup.release(), { code: 'EBUSY' });
  cgroup.kill();
  for (let left = true; left; ) {
    await delay(5);
    try {
      cgroup.release();
      left = false;
    } catch (error) {
      t.match(error, { code: 'EBUSY' });
    }
  }
  cgroup.release();
});
