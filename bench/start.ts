import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { limits as maxima } from '../src/limits.js';
import { Poller } from '../src/poll/poller.js';
import type { Limits, Result } from '../src/task.js';
import { findCgroups } from '../src/worker/cgroup/find.js';
import { Deadlines } from '../src/worker/deadlines.js';
import { Execution } from '../src/worker/execution.js';
import { resolveRuntime } from '../src/worker/runtimes/registry.js';
import type { ProcessRuntime, RuntimeDefinition } from '../src/worker/runtimes/runtime.js';
import { StrictIsolation } from '../src/worker/strict-isolation.js';
import { ForkServers } from '../src/worker/warm/fork-servers.js';
import { enclosuresMax, forkServerPlan } from '../src/worker/warm/plan.js';
import { Starter } from '../src/worker/warm/starter.js';
import type { Bench } from './harness.js';
import { p50Ms, pythonPath, runPlain } from './programs.js';
import { compare } from './row.js';
import { median } from './statistics.js';

const bwrap = '/usr/bin/bwrap';
const nowMs = () => performance.now();

/** /bin/true in a sandbox that is made for it, every layer and its cgroup included. */
export const startCold: Bench = {
  name: 'start-cold',
  what: '/bin/true in a sandbox made for it, against bwrap --unshare-all',
  async run({ smoke }) {
    if (!existsSync(bwrap)) throw new Error(`start-cold needs ${bwrap}: install bubblewrap`);
    // Given an argument, true looks up the locale: the reference gives it none.
    const definition = { command: ['/bin/true'], env: { LANG: 'C' } };
    const rig = await startRig('true', definition, { prepared: false });
    const reference = [bwrap, '--unshare-all', '--die-with-parent', '--ro-bind', '/', '/'] as const;
    try {
      const runs = smoke ? 2 : 40;
      const row = await compare({
        name: 'start-cold',
        unit: 'ms p50',
        reference: 'bwrap --unshare-all /bin/true',
        bar: { atMost: 0.35 },
        rounds: smoke ? 1 : 7,
        measure: () => p50Ms(runs, () => rig.run('')),
        measureReference: () =>
          p50Ms(runs, () =>
            runPlain(rig.poller, [...reference, '--proc', '/proc', '--dev', '/dev', '/bin/true']),
          ),
      });
      return [row];
    } finally {
      await rig.stop();
    }
  },
};

/** print(1) in a prepared Python, in every layer: from the code to its result. */
export const startWarm: Bench = {
  name: 'start-warm',
  what: 'print(1) in a prepared Python, against starting the interpreter',
  async run({ smoke }) {
    const rig = await startRig('python', {}, { prepared: true });
    const python = pythonPath();
    try {
      const runs = smoke ? 2 : 40;
      const row = await compare({
        name: 'start-warm',
        unit: 'ms p50',
        reference: "python3 -c 'print(1)'",
        bar: { atMost: 0.15 },
        rounds: smoke ? 1 : 7,
        measure: () => p50MsPrepared(runs, rig),
        measureReference: () => p50Ms(runs, () => runPlain(rig.poller, [python, '-c', 'print(1)'])),
      });
      return [row];
    } finally {
      await rig.stop();
    }
  },
};

/** Each run finds a process that is ready: making it is not part of what is measured. */
export async function p50MsPrepared(runs: number, rig: Rig): Promise<number> {
  const took: number[] = [];
  for (let index = 0; index < runs; index++) {
    await rig.prepared();
    took.push(await p50Ms(1, () => rig.run('print(1)')));
  }
  return median(took);
}

/** What a worker at level strict runs its scripts with, without the worker. */
export interface Rig {
  poller: Poller;
  /** Throws unless it succeeds. */
  run(code: string): Promise<void>;
  /** A process waits for a script, and has had time for its rehearsal. */
  prepared(): Promise<void>;
  stop(): Promise<void>;
}

const limits: Limits = {
  wallMs: maxima.wallMsDefault,
  cpuMs: maxima.cpuMsDefault,
  outputBytes: maxima.outputBytesDefault,
  diskBytes: maxima.diskBytesDefault,
  openFiles: maxima.openFilesDefault,
  processes: maxima.processesDefault,
};
/** Given to a prepared process to become ready. Milliseconds. */
const rehearsalMs = 40;
/** As many sandboxes may be on their way out, as in a worker with so many slots. */
const slots = 2;

export async function startRig(
  type: string,
  definition: RuntimeDefinition,
  { prepared }: { prepared: boolean },
): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
  const log = pino({ level: 'warn' });
  const poller = new Poller();
  const deadlines = new Deadlines((onExpire) => poller.timer(onExpire), nowMs);
  const runtime = (await resolveRuntime(type, definition, folder)) as ProcessRuntime;
  const cgroups = findCgroups(`scriptd-bench-${process.pid}`);
  if (!('version' in cgroups)) throw new Error(`strict isolation needs cgroups: ${cgroups.detail}`);
  const isolation = new StrictIsolation(runtime, cgroups, {
    first: 1_900_000_000,
    count: enclosuresMax(slots),
    log,
  });
  const plan = forkServerPlan(runtime);
  const starter = new Starter({
    ...{ runtime, isolation, poller, log, nowMs, readyMax: prepared ? 1 : 0 },
    ...(plan && prepared && { forkServers: new ForkServers({ plan, poller, log }) }),
  });
  const context = { runtime, starter, poller, deadlines, nowMs, log };
  let leaving = 0;
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  return {
    poller,
    async run(code) {
      while (leaving === slots) await pause(1);
      const result = await new Promise<Result>((resolve) => {
        const task = { kind: 'execute', taskId: 'bench', attempt: 1, code, limits } as const;
        const events = {
          onStarted: () => undefined,
          mayLeave: () => {
            leaving++;
            return true;
          },
          onLeft: () => leaving--,
          onEnd: resolve,
        };
        new Execution(context, { task, receivedAtMs: nowMs() }, events).begin();
      });
      if (result.outcome !== 'success') throw new Error(`${result.outcome}: ${result.reason}`);
    },
    async prepared() {
      while (starter.ready === 0) {
        starter.warm({ limits, network: 'none' });
        await pause(1);
      }
      await pause(rehearsalMs);
    },
    async stop() {
      while (leaving > 0) await pause(1);
      await starter.close();
      await isolation.settled();
      isolation.close();
      deadlines.close();
      poller.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
