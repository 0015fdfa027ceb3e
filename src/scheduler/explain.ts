import { codes } from '../verdict.js';
import type { Attempt } from './attempt.js';
import type { Core } from './core.js';
import type { CancelCause } from './endings.js';
import { schedulerLimits } from './limits.js';

/** What holds a task back, or what it does. Durations in milliseconds from now on, or until now. */
export type Explanation = { text: string } & (
  | { reason: 'waits_for_run_at'; inMs: number }
  | { reason: 'waits_for_retry'; attempt: number; code: string | undefined; inMs: number }
  /** Its wait is over, but others of its type are tried again before it. */
  | { reason: 'retry_rate'; attempt: number; inMs: number }
  | { reason: 'paused'; type: string }
  /** The controller hands nothing out: it is being shut down. */
  | { reason: 'draining' }
  /** The controller has just begun, and asks the workers first what they run. */
  | { reason: 'recovering'; inMs: number }
  | { reason: 'no_worker'; type: string }
  | { reason: 'workers_draining'; type: string; workers: number }
  | { reason: 'fair_share'; group: string; groupsAhead: number; ahead: number; slots: number }
  /** `ahead`: of its group, those before it; no more than 10,000 are counted. */
  | { reason: 'busy'; type: string; slots: number; ahead: number }
  | { reason: 'prefetched'; worker: string; attempt: number; forMs: number }
  | { reason: 'worker_away'; worker: string; attempt: number; inMs: number }
  | { reason: 'stopping'; worker: string; attempt: number; cause: CancelCause | 'deadline' }
  | { reason: 'running'; worker: string; attempt: number; forMs: number }
);

/** Why the task is where it is; undefined when no such task is unfinished. */
export function explain(core: Core, taskId: string, nowMs: number): Explanation | undefined {
  const row = core.table.find(taskId);
  if (row < 0) return undefined;
  const attempt = core.attempts.get(row);
  if (attempt) return explainRunning(attempt, nowMs);
  return core.holdOf(row) === 'none'
    ? explainReady(core, row, nowMs)
    : explainHeld(core, row, nowMs);
}

function explainRunning(running: Attempt, nowMs: number): Explanation {
  const { worker: state, number: attempt, startedAtMs, dispatchedAtMs, cancel } = running;
  const worker = state.id;
  if (state.awayUntilMs !== undefined) {
    const inMs = Math.ceil(Math.max(0, state.awayUntilMs - nowMs));
    const text = `Attempt ${attempt} is on worker ${worker}, which is away; it is given up in ${seconds(inMs)}.`;
    return { reason: 'worker_away', worker, attempt, inMs, text };
  }
  if (running.state === 'stopping') {
    const cause = cancel?.cause ?? 'deadline';
    const why = cancel ? 'its end was asked for' : 'it ran past its time';
    const text = `Worker ${worker} was told to end attempt ${attempt}, because ${why}.`;
    return { reason: 'stopping', worker, attempt, cause, text };
  }
  if (state.queued.has(running)) {
    const forMs = Math.floor(nowMs - dispatchedAtMs);
    const text = `Attempt ${attempt} has been on worker ${worker} for ${seconds(forMs)} and waits for a slot there.`;
    return { reason: 'prefetched', worker, attempt, forMs, text };
  }
  const forMs = Math.floor(nowMs - (startedAtMs ?? dispatchedAtMs));
  const text = `Attempt ${attempt} has been running on worker ${worker} for ${seconds(forMs)}.`;
  return { reason: 'running', worker, attempt, forMs, text };
}

function explainHeld(core: Core, row: number, nowMs: number): Explanation {
  const { table } = core;
  const inMs = Math.ceil(Math.max(0, table.wakeAtMs.get(row) - nowMs));
  const attempt = table.attempt.get(row);
  switch (core.holdOf(row)) {
    case 'retry': {
      const code = codes[table.lastCode.get(row) - 1];
      const failed = code === undefined ? 'failed' : `failed with ${code}`;
      const text = `Attempt ${attempt} ${failed}; the next one may begin in ${seconds(inMs)}.`;
      return { reason: 'waits_for_retry', attempt, code, inMs, text };
    }
    case 'retryRate': {
      const most = schedulerLimits.retriesPerSecond;
      const text = `More tasks are to be tried again than ${most} a second; its turn is in ${seconds(inMs)}.`;
      return { reason: 'retry_rate', attempt, inMs, text };
    }
    default:
      return {
        reason: 'waits_for_run_at',
        inMs,
        text: `It is not to run for another ${seconds(inMs)}.`,
      };
  }
}

function explainReady(core: Core, row: number, nowMs: number): Explanation {
  const group = core.groupOf(row);
  const { type } = group;
  const lane = core.lane(type);
  const { connected, draining, slots } = core.workers.crew(type);
  if (core.paused) {
    return { reason: 'draining', text: 'The controller is shutting down and hands nothing out.' };
  }
  if (lane.paused) {
    return { reason: 'paused', type, text: `Type ${type} is paused; resume it to go on.` };
  }
  if (nowMs < core.settledAtMs) {
    const inMs = Math.ceil(core.settledAtMs - nowMs);
    const text = `The controller has just begun and asks the workers what they run; wait ${seconds(inMs)}.`;
    return { reason: 'recovering', inMs, text };
  }
  if (connected === 0) {
    return { reason: 'no_worker', type, text: `No worker of type ${type} is connected.` };
  }
  if (draining === connected) {
    const text = `Every worker of type ${type} is ending and takes nothing new.`;
    return { reason: 'workers_draining', type, workers: connected, text };
  }
  const most = schedulerLimits.aheadCountMax;
  const ahead = group.tasks.countBefore(row, most);
  const groupsAhead = lane.queue.groupsBefore(group, most);
  const many = ahead === most ? `${most} or more` : `${ahead}`;
  if (groupsAhead > 0) {
    const name = group.name === '' ? 'The group without a name' : `Group ${group.name}`;
    const text = `${name} had its share of the ${slots} slots of type ${type}: ${groupsAhead} groups go before it, and ${many} tasks of its own.`;
    return { reason: 'fair_share', group: group.name, groupsAhead, ahead, slots, text };
  }
  const text = `All ${slots} slots of type ${type} are busy, and ${many} tasks with a higher score are before it.`;
  return { reason: 'busy', type, slots, ahead, text };
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}
