import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { Checker } from '../../src/checker/checker.js';
import { Poller } from '../../src/poll/poller.js';
import type { Check, Result } from '../../src/task.js';
import { CheckedRun } from '../../src/worker/checked-run.js';
import { Deadlines } from '../../src/worker/deadlines.js';
import { WorkRoot } from '../../src/worker/directory.js';
import { Execution } from '../../src/worker/execution.js';
import { createIsolation } from '../../src/worker/isolation.js';
import type { ExecuteMessage, Waiting } from '../../src/worker/queue.js';
import type { ProcessRuntime } from '../../src/worker/runtimes/runtime.js';
import { type RunEvents, Slots } from '../../src/worker/slots.js';
import { Starter } from '../../src/worker/warm/starter.js';
import { python } from './sandbox-process.js';
import { defaultLimits } from './test-controller.js';
import { eventually, temporaryFolder } from './test-worker.js';

/** A sandbox that was given to a run. */
export interface Given {
  uid: number;
  /** Of its first process; from the start on. */
  pid: number;
  /** Whether that was reaped. */
  isGone: boolean;
  /** Whether its ids and its cgroup may be another's. */
  isFree: boolean;
}

type Order = Partial<Omit<ExecuteMessage, 'limits'>> & {
  code: string;
  limits?: Partial<ExecuteMessage['limits']>;
};

export interface LeavingRig {
  /** By task, once it is told. */
  told: Map<string, Result>;
  given: Given[];
  slots: Slots;
  start(taskId: string, order: Order): void;
  /** Until its result is told. */
  result(taskId: string): Promise<Result>;
  /** Until so many first processes have ended whose end the worker has not heard of. */
  ended(count: number): Promise<void>;
  /** Until what the worker has been told of before is worked off: a whole run went by meanwhile. */
  settle(): Promise<void>;
  /** Lets the worker hear of the end of the process of a sandbox, or of each, also of later ones. */
  release(given?: Given): void;
  /** Processes of a sandbox beside its first one, zombies included; none when that has ended. */
  others(given: Given): number[];
  /** Times that something was all gone whose result was told before. */
  left(): number;
}

/** Its script may say on stdout that it is there, and be ended by a signal. */
export const waits = 'echo here; exec sleep 1000';

const bashRuntime: ProcessRuntime = {
  kind: 'process',
  file: '/bin/bash',
  prefixes: [],
  scriptName: 'script.sh',
  env: {},
  argv: (args) => ['/bin/bash', 'script.sh', ...args],
};

export const pythonRuntime: ProcessRuntime = {
  ...bashRuntime,
  file: python,
  prefixes: [join(python, '..', '..')],
  scriptName: 'script.py',
  argv: (args) => [python, 'script.py', ...args],
};

/**
 * The slots of a worker at level strict with real sandboxes, of whose ends it hears only when the
 * test lets it: until then a first process is on its way out, for however long.
 */
export async function leavingRig(
  t: { teardown(action: () => unknown): void },
  slotCount: number,
  runtime = bashRuntime,
): Promise<LeavingRig> {
  const log = pino({ level: 'silent' });
  const poller = new Poller();
  const nowMs = () => performance.now();
  const deadlines = new Deadlines((onExpire) => poller.timer(onExpire), nowMs);
  const root = new WorkRoot(join(temporaryFolder(t), 'work'), log);
  const { isolation } = createIsolation(
    { name: `leaving-${process.pid}-${rigs++}`, isolation: 'strict', log },
    runtime,
    root,
    2 * slotCount + 1,
  );
  const given: Given[] = [];
  const held = new Map<number, () => void>();
  let isOpen = false;
  let isNeighbour = false;

  const enclose = isolation.enclose.bind(isolation);
  isolation.enclose = (...args) => {
    const enclosure = enclose(...args);
    if (isNeighbour) return enclosure;
    const one: Given = {
      uid: enclosure.plan.strict?.uid ?? 0,
      pid: 0,
      isGone: false,
      isFree: false,
    };
    given.push(one);
    const leave = () => {
      one.isFree = true;
      enclosure.leave();
    };
    return { ...enclosure, leave };
  };
  const watchProcess = poller.watchProcess.bind(poller);
  poller.watchProcess = (pidfd, onExit) => {
    if (isNeighbour) return watchProcess(pidfd, onExit);
    const pid = pidOf(pidfd);
    const one = given.at(-1) as Given;
    one.pid = pid;
    return watchProcess(pidfd, () => {
      const heard = () => {
        held.delete(pid);
        onExit();
        one.isGone = true;
      };
      if (isOpen) heard();
      else held.set(pid, heard);
    });
  };

  const starter = new Starter({ runtime, isolation, poller, readyMax: 0, nowMs, log });
  const context = { runtime, starter, poller, deadlines, nowMs, log };
  const createRun = (waiting: Waiting, events: RunEvents) =>
    new Execution(context, waiting, events);
  const checker = new Checker(1);
  const told = new Map<string, Result>();
  let left = 0;
  const slots = new Slots({
    slots: slotCount,
    queueMax: 100,
    nowMs,
    createRun: (waiting, events) => {
      const { check } = waiting.task;
      if (!check) return createRun(waiting, events);
      return new CheckedRun({ checker, nowMs, createRun }, waiting, check, events);
    },
    onStarted: () => undefined,
    onOutput: () => undefined,
    onResult: ({ taskId }, result) => told.set(taskId, result),
    onLeft: () => {
      left += 1;
    },
  });
  const release = (one?: Given) => {
    isOpen ||= one === undefined;
    for (const [pid, heard] of held) if (!one || one.pid === pid) heard();
  };
  t.teardown(async () => {
    slots.shutDown({ outcome: 'cancelled' });
    release();
    await eventually(() => slots.idle);
    checker.close();
    await starter.close();
    await isolation.settled();
    isolation.close();
    deadlines.close();
    poller.close();
  });
  const message = (taskId: string, { limits, ...rest }: Order): ExecuteMessage => ({
    ...{ kind: 'execute', taskId, attempt: 1, ...rest },
    limits: { ...defaultLimits, ...limits },
  });
  return {
    told,
    given,
    slots,
    start: (taskId, order) => {
      slots.take(message(taskId, order));
    },
    result: async (taskId) => {
      await eventually(() => told.has(taskId));
      return told.get(taskId) as Result;
    },
    ended: (count) => eventually(() => held.size === count),
    settle: () =>
      new Promise((resolve) => {
        isNeighbour = true;
        const task = message('neighbour', { code: '' });
        const onEnd = () => resolve();
        const waiting = { task, receivedAtMs: nowMs() };
        new Execution(context, waiting, { onStarted: () => undefined, onEnd }).begin();
        isNeighbour = false;
      }),
    release,
    others: ({ pid }) => childrenOf(pid),
    left: () => left,
  };
}

let rigs = 0;

/** The script of a check that takes what is on its stdin for right. */
export const scriptCheck: Check = { script: { code: 'cat >file; exit 0' } };

/** Children of a process, zombies included; of one that has ended none. */
export function childrenOf(pid: number): number[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  } catch {
    return []; // it was reaped
  }
  return text.split(' ').filter(Boolean).map(Number);
}

/** Source: proc(5), /proc/PID/fdinfo */
function pidOf(pidfd: number): number {
  return Number(/^Pid:\t(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${pidfd}`, 'utf8'))?.[1]);
}
