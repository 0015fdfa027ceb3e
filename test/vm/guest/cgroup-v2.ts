import { closeSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CgroupHost, CgroupLimits } from '../../../src/worker/cgroup/cgroup.js';
import { findCgroups } from '../../../src/worker/cgroup/find.js';
import { readStatus, type StartStatus } from '../../../src/worker/process-end.js';
import { startProcess } from '../../../src/worker/sandbox.js';
import { strictPlan } from '../../worker/sandbox-plans.js';
import { drained, drainedBytes, ended, shell } from '../../worker/sandbox-process.js';

/**
 * That it is cgroup v2 which holds the runs, on a host that has no other. For `test/vm/hostile`: a
 * host with v1 would fail here, so it is no part of `npm test`.
 */

function setUp(test: Test): CgroupHost {
  const host = findCgroups('scriptd-v2-test');
  if (!('version' in host)) throw new Error(host.detail);
  test.teardown(() => host.close());
  return host;
}

const field = (folder: string, file: string, name: string) =>
  new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(join(folder, file), 'utf8'))?.[1];

interface Run {
  /** Its line of /proc/PID/cgroup when the start had returned. */
  bornIn: string;
  folder: string;
  status: StartStatus | undefined;
  events: (file: string, name: string) => string | undefined;
}

/** Runs a script in a cgroup of its own, which is there until the test ends. */
async function runIn(test: Test, limits: CgroupLimits, script: string): Promise<Run> {
  const cgroup = setUp(test).create(limits);
  test.teardown(() => cgroup.release());
  const { v2Directory = -1, v1Procs } = cgroup.entry;
  test.equal(v1Procs, undefined, 'nothing by which the first process could join by itself');
  const folder = readlinkSync(`/proc/self/fd/${v2Directory}`);
  const plan = shell(script, { strict: { ...strictPlan, cgroup: cgroup.entry } });
  const { pid, pidfd, stdout, stderr, status = -1 } = startProcess(plan);
  const bornIn = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const [said] = await Promise.all([drainedBytes(status), drained(stdout), drained(stderr)]);
  closeSync(pidfd);
  await ended(pid);
  const events = (file: string, name: string) => field(folder, file, name);
  return { bornIn, folder, status: readStatus(said), events };
}

t.test('no hierarchy but version 2 is mounted', async (t) => {
  const types = readFileSync('/proc/self/mounts', 'utf8').match(/ cgroup2? /g);
  t.same(types, [' cgroup2 ']);
  t.equal(setUp(t).version, 2);
});

t.test('a run is born in its cgroup (CLONE_INTO_CGROUP)', async (t) => {
  const limits = { memoryBytes: 64 << 20, processes: 16 };
  const { bornIn, folder, status } = await runIn(t, limits, 'exit 3');
  t.match(bornIn, /^0::\/.*scriptd-v2-test\/run-[0-9a-f]{6}-1\n$/);
  t.equal(bornIn, `0::${folder.slice('/sys/fs/cgroup'.length)}\n`);
  t.same(status, { kind: 'ended', exitCode: 3 });
});

t.test('memory over the limit ends the whole run, and memory.events counts it', async (t) => {
  const limits = { memoryBytes: 64 << 20, processes: 16 };
  const { events, status } = await runIn(
    t,
    limits,
    "sleep 1000 & python3 -c 'x = bytearray(200 << 20)'; sleep 1000",
  );
  // oom.group takes scriptd-init too: nobody is left who could say how it ended.
  t.equal(status, undefined);
  t.equal(events('memory.events', 'oom_group_kill'), '1');
  t.ok(Number(events('memory.events', 'oom_kill')) > 1);
  t.equal(events('cgroup.events', 'populated'), '0');
});

t.test('processes over the limit are refused, and pids.events counts them', async (t) => {
  const limits = { memoryBytes: 64 << 20, processes: 4 };
  const { events } = await runIn(t, limits, 'for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done');
  t.ok(Number(events('pids.events', 'max')) > 0);
  t.equal(events('cgroup.events', 'populated'), '0');
});
