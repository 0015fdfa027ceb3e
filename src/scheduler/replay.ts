import { invariant } from '../invariant.js';
import { limits } from '../limits.js';
import { Heap } from './heap.js';
import { Scheduler } from './scheduler.js';

/** A task of the past, as it would come again. Milliseconds on any one clock. */
export interface ReplayTask {
  /** A UUID in lower case. */
  id: string;
  type: string;
  group: string;
  priority: number;
  createdAt: number;
  /** How long it held a slot. */
  serviceMs: number;
  /** What the rule gave it. */
  score: number;
}

export interface ReplayOptions {
  /** How many scripts of each type run at once. */
  slots: ReadonlyMap<string, number>;
  /** Weight of each group; others have 1. */
  groups?: ReadonlyMap<string, number>;
}

/** As long as any task may run: nothing is to be ended by its limit. */
const wallMs = limits.wallMsMax;

/** A slot becomes free. */
interface End {
  atMs: number;
  /** Of the dispatch: settles what happens at one time. */
  order: number;
  worker: string;
  taskId: string;
  attempt: number;
}

/**
 * Runs tasks of the past through the scheduler itself, on a virtual clock, with workers that take
 * exactly as long as it took then. Deterministic: the same tasks give the same waits.
 *
 * Not in it: what the wire and the start of a process take, and attempts that failed.
 *
 * @param tasks in order of submission
 * @returns how long each waited for a slot, in the order of `tasks`; a type without slots: never
 */
export function replay(tasks: readonly ReplayTask[], options: ReplayOptions): number[] {
  const scheduler = new Scheduler({ random: () => 0.5, groups: options.groups ?? new Map() });
  const begins = new Map<string, number>();
  const service = new Map(tasks.map(({ id, serviceMs }) => [id, Math.min(serviceMs, wallMs)]));
  // At one time, slots become free before tasks come.
  const ends = new Heap<End>((a, b) => (a.atMs - b.atMs || a.order - b.order) < 0);
  const startMs = tasks[0]?.createdAt ?? 0;
  let order = 0;
  for (const [type, slots] of options.slots) {
    // Without prefetching a dispatch is the begin.
    scheduler.connect({ id: type, type, slots, prefetch: 0, running: [] }, startMs);
  }
  const step = (nowMs: number) => {
    for (const action of scheduler.take(nowMs)) {
      invariant(
        action.type === 'dispatch' || action.type === 'finish',
        `nothing fails in a replay, and this does: ${action.type}`,
      );
      if (action.type === 'finish') continue;
      const { taskId, attempt, workerId: worker } = action;
      begins.set(taskId, nowMs);
      scheduler.started(worker, { taskId, attempt }, nowMs);
      const atMs = nowMs + (service.get(taskId) ?? 0);
      ends.push({ atMs, order: order++, worker, taskId, attempt });
    }
  };
  for (let next = 0; next < tasks.length || ends.peek(); ) {
    const task = tasks[next];
    const end = ends.peek();
    const nowMs = Math.min(
      task?.createdAt ?? Number.POSITIVE_INFINITY,
      end?.atMs ?? Number.POSITIVE_INFINITY,
    );
    for (let over = ends.peek(); over && over.atMs <= nowMs; over = ends.peek()) {
      ends.pop();
      const { worker, taskId, attempt } = over;
      scheduler.result(worker, { taskId, attempt }, success, nowMs);
    }
    for (let come = tasks[next]; come && come.createdAt <= nowMs; come = tasks[++next]) {
      invariant(come.createdAt >= startMs, 'tasks come in order');
      scheduler.submit({ ...come, wallMs });
    }
    step(nowMs);
  }
  return tasks.map(({ id, createdAt }) => (begins.get(id) ?? Number.POSITIVE_INFINITY) - createdAt);
}

const success = {
  outcome: 'success',
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  truncated: { stdout: false, stderr: false },
  phases: { startMs: 0, runMs: 0, drainMs: 0 },
} as const;

/**
 * The most slots of each type that were taken at once: at least so many there were.
 *
 * @param runs from `startedAt` to `finishedAt`
 */
export function slotsSeen(
  runs: readonly { type: string; startedAt: number; finishedAt: number }[],
): Map<string, number> {
  const edges = runs.flatMap(({ type, startedAt, finishedAt }) => [
    { type, at: startedAt, change: 1 },
    // What took no time had a slot all the same.
    { type, at: Math.max(finishedAt, startedAt + 1), change: -1 },
  ]);
  edges.sort((a, b) => a.at - b.at || a.change - b.change);
  const taken = new Map<string, number>();
  const most = new Map<string, number>();
  for (const { type, change } of edges) {
    const now = (taken.get(type) ?? 0) + change;
    taken.set(type, now);
    most.set(type, Math.max(now, most.get(type) ?? 0));
  }
  return most;
}

export interface Waits {
  tasks: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}

/** By nearest rank. */
export function waitsOf(waits: readonly number[]): Waits {
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { tasks: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}
