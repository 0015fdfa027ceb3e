import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '../../src/errors.js';
import type { Family } from '../../src/figures.js';
import { findCgroups } from '../../src/worker/cgroup/find.js';
import { type Instance, startInstance } from './instance.js';
import { type Findings, type Probe, whyUnusable } from './quantity.js';
import { median, middleMean } from './statistics.js';
import { type Calls, callsDuring, totalOf } from './traced-calls.js';

const tasksBefore = 200;
const tasksInTurn = 40;
const tasksInFlight = 1_000;
const runs = 16;
const attemptsMax = 3;
const runName = 'system calls: worker, per python run';
/** After the answer the parts still acknowledge, and commit. Milliseconds. */
const settleMs = 30;
/** After a script's answer a process for the next is prepared. Milliseconds. */
const prepareMs = 150;

/**
 * How LMDB writes a commit depends on which pages it touches, and how many batches share one on which
 * thread is quicker; so it does with the threads' wake-ups. They are counted as bytes, not as calls.
 */
const ofCommits = new Set([
  ...['pwrite64', 'pwritev', 'writev', 'lseek', 'fdatasync', 'statfs', 'statx'],
  ...['write', 'read', 'epoll_pwait'],
]);

/** What tasks cost the parts of a real service: system calls, frames, bytes. */
export const partsProbe: Probe = {
  of: ['system calls', 'frames', 'bytes'],
  async measure() {
    for (let attempt = 1; ; attempt++) {
      try {
        return await measureParts();
      } catch (error) {
        // Traced, and on a host that has no time for it, a part may be late to answer a ping.
        if (attempt === attemptsMax) throw error;
        console.log(`measured again, since a part was too slow: ${errorMessage(error)}`);
      }
    }
  },
};

async function measureParts(): Promise<Findings> {
  const cgroups = findCgroups(`scriptd-guard-${process.pid}`);
  const untraced = await whyUnusable('strace', ['-f', '-o', '/dev/null', 'true']);
  const strict = 'version' in cgroups;
  const instance = await startInstance(strict ? 'noop=64,python=1' : 'noop=64');
  try {
    const values = new Map(await exchanged(instance));
    const unmeasured: Findings['unmeasured'][number][] = [];
    const note = (found: [string, number][]) => {
      for (const [name, value] of found) values.set(name, value);
    };
    if (untraced) return { values, unmeasured: [{ of: 'system calls', why: untraced }] };
    note(await inTurn(instance));
    note(await inFlight(instance));
    if (strict) {
      note([[`${runName}, cgroup v${cgroups.version}`, await perRun(instance)]]);
    } else {
      const why = `strict isolation needs cgroups: ${cgroups.detail}`;
      unmeasured.push({ of: runName, why });
    }
    return { values, unmeasured };
  } finally {
    await instance.stop();
  }
}

/** Tasks that do nothing, over HTTP, one after the other. */
async function inTurn(instance: Instance): Promise<[string, number][]> {
  const task = { type: 'noop', code: '' };
  for (let index = 0; index < tasksInTurn; index++) await instance.post('/v1/tasks?wait=30', task);
  const pids = { ...instance.pids, worker: instance.workerPid('noop') };
  const { http, controller, worker } = await callsDuring(pids, async (mark) => {
    for (let index = 0; index < tasksInTurn; index++) {
      mark();
      await instance.post('/v1/tasks?wait=30', task);
      await sleep(settleMs);
    }
  });
  return [
    // What the clock brings is in more pieces the longer they take.
    ['system calls: http, per task in turn', median(http.map((calls) => totalOf(calls)))],
    ['system calls: controller, per task in turn', typical(controller, ofCommits)],
    ['system calls: worker, per task in turn', median(worker.map((calls) => totalOf(calls)))],
  ];
}

/** What the controller sent, received and kept for the same task, many in flight at once. */
async function exchanged(instance: Instance): Promise<[string, number][]> {
  await instance.inFlight(tasksBefore);
  const before = await instance.figures();
  await instance.inFlight(tasksInFlight);
  const after = await instance.figures();
  const added = (name: string) => (sumOf(after, name) - sumOf(before, name)) / tasksInFlight;
  return [
    ['frames: controller, per task', added('scriptd_wire_frames_total')],
    ['bytes: controller on the wire, per task', added('scriptd_wire_bytes_total')],
    ['bytes: store, per task', added('scriptd_store_written_bytes_total')],
  ];
}

/** The same, over one connection of the protocol. */
async function inFlight(instance: Instance): Promise<[string, number][]> {
  const pids = { controller: instance.pids.controller };
  const { controller } = await callsDuring(pids, async (mark) => {
    mark();
    await instance.inFlight(tasksInFlight);
  });
  return [['system calls: controller, per task in flight', typical(controller) / tasksInFlight]];
}

/** print(1) in the prepared sandbox. */
async function perRun(instance: Instance): Promise<number> {
  for (let index = 0; index < 3; index++) await instance.execute('print(1)', '1\n');
  const pids = { worker: instance.workerPid('python') };
  const { worker } = await callsDuring(pids, async (mark) => {
    for (let index = 0; index < runs; index++) {
      await sleep(prepareMs);
      mark();
      await instance.execute('print(1)', '1\n');
    }
    await sleep(prepareMs);
  });
  return typical(worker);
}

/** Pings and what else happens now and then are in few of the pieces. */
function typical(pieces: readonly Calls[], without?: ReadonlySet<string>): number {
  return middleMean(pieces.map((calls) => totalOf(calls, without)));
}

function sumOf(families: readonly Family[], name: string): number {
  const family = families.find((one) => one.name === name);
  if (!family) throw new Error(`the controller has no figure ${name}`);
  return family.series.reduce((sum, { value = 0 }) => sum + value, 0);
}
