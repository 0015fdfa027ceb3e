import { type FinishedTask, ServiceError, type Task } from '../../client/index.js';
import { errorCode, errorMessage, type ScriptdError } from '../../errors.js';
import { benchLimits } from './limits.js';
import { LogHistogram } from './log-histogram.js';

/** Where the time of a task goes: in this client, in the service as its timeline says, and between. */
export const phases = [
  'late',
  'queued',
  'dispatch',
  'start',
  'run',
  'drain',
  'check',
  'around',
] as const;
export type Phase = (typeof phases)[number];

/** Ends that are alike. */
export interface End {
  /** Of the task; `refused`, or `unanswered`, where there was none. */
  outcome: string;
  code: string | undefined;
  /** What was said of the first of them. */
  reason: string | undefined;
  tasks: number;
}

/** When a task was to be sent, was sent, and ended: milliseconds of one clock. */
export interface Times {
  dueMs: number;
  sentMs: number;
  endedMs: number;
}

/** What became of the tasks of a bench, in bounded memory. */
export class Tally {
  /** From when a task was to be sent until its end was known here. Without cancelled ones. */
  readonly latency = new LogHistogram();
  readonly phases = new Map<Phase, LogHistogram>();
  /** Those that did not succeed. */
  readonly ends = new Map<string, End>();
  /** Codes of what was asked again after, and how often. */
  readonly retries = new Map<string, number>();
  /** The longest wait before something was asked again, milliseconds. */
  retryWaitMsMax = 0;
  succeeded = 0;
  /** Also those that did not succeed, and those that were refused. */
  tasks = 0;
  /** The type, as the service says it. */
  type: string | undefined;

  ended(task: FinishedTask, times: Times): void {
    this.tasks++;
    this.type ??= task.type;
    if (task.outcome === 'success') this.succeeded++;
    else this.#end(task.outcome, task.code, task.reason);
    if (task.outcome === 'cancelled') return;
    this.latency.observe(times.endedMs - times.dueMs);
    this.#observePhases(task.timeline, times);
  }

  /** So many tasks were sent, and the service would not have them, or nobody knows. */
  notEnded(error: unknown, tasks: number): void {
    this.tasks += tasks;
    const outcome = error instanceof ServiceError ? 'refused' : 'unanswered';
    this.#end(outcome, errorCode(error), errorMessage(error), tasks);
  }

  retried(error: ScriptdError, waitMs: number): void {
    count(this.retries, error.code);
    this.retryWaitMsMax = Math.max(this.retryWaitMsMax, waitMs);
  }

  #observePhases(timeline: Task['timeline'], { dueMs, sentMs, endedMs }: Times): void {
    this.#observe('late', sentMs - dueMs);
    let knownMs = 0;
    for (const [name, ms] of Object.entries(timeline ?? {})) {
      knownMs += ms;
      const phase = phases.find((each) => name === `${each}Ms`);
      if (phase) this.#observe(phase, ms);
    }
    this.#observe('around', endedMs - sentMs - knownMs);
  }

  #observe(phase: Phase, ms: number): void {
    let histogram = this.phases.get(phase);
    if (!histogram) {
      histogram = new LogHistogram();
      this.phases.set(phase, histogram);
    }
    histogram.observe(ms);
  }

  #end(outcome: string, code: string | undefined, reason: string | undefined, tasks = 1): void {
    const key = `${outcome} ${code ?? ''}`;
    const known = this.ends.get(key);
    if (known) known.tasks += tasks;
    else if (this.ends.size < benchLimits.endsMax)
      this.ends.set(key, { outcome, code, reason, tasks });
    else {
      const others = this.ends.get('') ?? { outcome: 'others', code: undefined, reason, tasks: 0 };
      this.ends.set('', { ...others, tasks: others.tasks + tasks });
    }
  }
}

function count(counts: Map<string, number>, code: string): void {
  const key = counts.has(code) || counts.size < benchLimits.endsMax ? code : 'others';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
