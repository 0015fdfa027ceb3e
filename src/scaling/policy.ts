import { type FailureMemory, noFailures, noteFailures } from './failures.js';
import { scalingLimits } from './limits.js';
import { type NeedMemory, noNeed, noteNeed } from './need.js';
import type { ScalingRule } from './rule.js';

/** One worker as the policy sees it. */
export interface WorkerSight {
  name: string;
  /**
   * `starting`: never connected; `up`; `draining`: takes nothing new; `ending`: is being deleted, and
   * nothing can be done about it.
   */
  phase: 'starting' | 'up' | 'draining' | 'ending';
  /** Attempts that it has; undefined when nobody knows. */
  busy: number | undefined;
  /** Made from what is not the template any more. */
  outdated: boolean;
  /** When it was made; by it the youngest is found. Monotonic milliseconds. */
  madeAtMs: number;
  /** Since when it has been up; undefined when it is not. Monotonic milliseconds. */
  upSinceMs: number | undefined;
}

/** What is there at one moment. */
export interface Sight {
  /** Monotonic milliseconds. */
  nowMs: number;
  /** Tasks that run or are ready to; undefined when nobody knows: then nothing is changed. */
  tasks: number | undefined;
  workers: readonly WorkerSight[];
  /** Workers that failed since the last sight. */
  failures: number;
}

/** What to do, all of it at once. */
export interface Decision {
  /** So many workers to start. */
  start: number;
  /** Idle ones that are too many: they take nothing new, and go. */
  drain: readonly string[];
  /** Too many, and not up yet: to be deleted. */
  cancel: readonly string[];
  /** Outdated: takes nothing new and goes once it has finished what it has. */
  retire: string | undefined;
}

/** What the policy keeps of one type from one decision to the next. */
export interface Memory {
  need: NeedMemory;
  failures: FailureMemory;
}

export const emptyMemory: Memory = { need: noNeed, failures: noFailures };

const nothing: Decision = { start: 0, drain: [], cancel: [], retire: undefined };

/**
 * What to do about the workers of one type. Pure: the same sights give the same decisions.
 *
 * As many workers are wanted as the tasks fill at `upLoad` for each slot; those that start already
 * are counted. One is too many when fewer would do at `downLoad`, and would have for all of
 * `cooldownMs`. Because `downLoad` is less, a load that stays makes no change after the first.
 */
export function decide(
  rule: ScalingRule,
  memory: Memory,
  sight: Sight,
): { memory: Memory; decision: Decision } {
  const { nowMs, tasks } = sight;
  const proven = sight.workers.some((worker) => isProven(worker, nowMs));
  const failures = noteFailures(memory.failures, sight.failures, proven, nowMs);
  // What was needed meanwhile is not known: the time in which fewer were enough begins anew.
  if (tasks === undefined) return { memory: { need: noNeed, failures }, decision: nothing };
  const wanted = workersFor(tasks, rule.upLoad, rule);
  const enough = workersFor(tasks, rule.downLoad, rule);
  const { memory: need, most } = noteNeed(memory.need, enough, nowMs, rule.cooldownMs);
  const crew = crewOf(sight.workers);
  const mayStart = nowMs >= failures.notBeforeMs;
  const missing = wanted - crew.staying.length;
  const free = Math.max(0, rule.max - sight.workers.length);
  let decision = nothing;
  if (missing > 0) {
    const start = Math.min(missing, free, scalingLimits.startsAtOnceMax);
    decision = { ...nothing, start: mayStart ? start : 0 };
  } else if (most !== undefined && crew.staying.length > most + crew.spare) {
    decision = reduce(crew, crew.staying.length - most - crew.spare, rule);
  }
  const idle = decision.start + decision.drain.length + decision.cancel.length === 0;
  // After a failure all stays: the new template may be what is wrong.
  if (idle && missing <= 0 && mayStart) decision = roll(crew, wanted, free > 0);
  return { memory: { need, failures }, decision };
}

function isProven({ phase, outdated, upSinceMs }: WorkerSight, nowMs: number): boolean {
  if (phase !== 'up' || outdated || upSinceMs === undefined) return false;
  return nowMs - upSinceMs >= scalingLimits.provenMs;
}

function workersFor(tasks: number, loadPerSlot: number, { min, max, slots }: ScalingRule): number {
  return Math.min(max, Math.max(min, Math.ceil(tasks / (slots * loadPerSlot))));
}

interface Crew {
  /** Those that are to stay: starting or up. */
  staying: readonly WorkerSight[];
  starting: readonly WorkerSight[];
  up: readonly WorkerSight[];
  /** On their way out: draining or ending. */
  leaving: readonly WorkerSight[];
  /** One more than is needed may stay while there is an outdated one, which it replaces. */
  spare: number;
}

function crewOf(workers: readonly WorkerSight[]): Crew {
  const starting = workers.filter(({ phase }) => phase === 'starting');
  const up = workers.filter(({ phase }) => phase === 'up');
  const leaving = workers.filter(({ phase }) => phase === 'draining' || phase === 'ending');
  const spare = up.some(({ outdated }) => outdated) ? 1 : 0;
  return { staying: [...starting, ...up], starting, up, leaving, spare };
}

/** So many too many: first those that are not up yet, then idle ones; never a busy one. */
function reduce({ starting, up }: Crew, surplus: number, { min }: ScalingRule): Decision {
  const cancel = [...starting].sort(dispensable).slice(0, surplus);
  const left = Math.min(surplus - cancel.length, Math.max(0, up.length - min));
  const idle = up.filter(({ busy }) => busy === 0).sort(dispensable);
  return { ...nothing, cancel: names(cancel), drain: names(idle.slice(0, left)) };
}

/**
 * Replaces outdated workers, one at a time. With room for it the new one comes first; without, the
 * old one goes first.
 */
function roll({ staying, starting, up, leaving }: Crew, wanted: number, room: boolean): Decision {
  const outdated = up.filter((worker) => worker.outdated);
  if (outdated.length === 0 || starting.length > 0 || leaving.length > 0) return nothing;
  if (staying.length <= wanted && room) return { ...nothing, start: 1 };
  const [first] = outdated
    .filter(({ busy }) => busy !== undefined)
    .sort((one, other) => (one.busy ?? 0) - (other.busy ?? 0) || dispensable(one, other));
  return { ...nothing, retire: first?.name };
}

/** Whoever is missed least comes first: outdated, then young ones. */
function dispensable(one: WorkerSight, other: WorkerSight): number {
  return (
    Number(other.outdated) - Number(one.outdated) ||
    other.madeAtMs - one.madeAtMs ||
    (one.name < other.name ? -1 : 1)
  );
}

function names(workers: readonly WorkerSight[]): string[] {
  return workers.map(({ name }) => name);
}
