import { Attendance } from '../../src/scheduler/attendance.js';
import { Core } from '../../src/scheduler/core.js';
import { FairQueue, Groups } from '../../src/scheduler/fair-queue.js';
import { Life } from '../../src/scheduler/life.js';
import { Placement } from '../../src/scheduler/placement.js';
import { Recovery } from '../../src/scheduler/recovery.js';
import { RetryRate } from '../../src/scheduler/retry-rate.js';
import { Workers } from '../../src/scheduler/workers.js';

/** A mistake that somebody might make in the scheduler. */
export interface Mutation {
  readonly name: string;
  /** Makes the mistake. Returns how to take it back. */
  readonly make: () => () => void;
}

type Method = (this: never, ...args: never[]) => unknown;
type MethodNames<T> = { [K in keyof T]: T[K] extends Method ? K : never }[keyof T];

/** Puts something else in the place of a method of a class, for all its objects. */
function mutate<T extends object, K extends MethodNames<T>>(
  name: string,
  owner: { prototype: T },
  method: K,
  replacement: (original: T[K]) => T[K],
): Mutation {
  return {
    name,
    make: () => {
      const { prototype } = owner;
      const original = prototype[method];
      prototype[method] = replacement(original);
      return () => {
        prototype[method] = original;
      };
    },
  };
}

const nothing = () => undefined;

export const mutations: readonly Mutation[] = [
  mutate('a result of any attempt counts', Life, 'current', () => {
    return function (this: Life, _workerId, { taskId }) {
      return this.core.attempts.get(this.core.table.find(taskId));
    };
  }),
  mutate('a retry is lost', Core, 'hold', (hold) => {
    return function (this: Core, row, why, untilMs) {
      hold.call(this, row, why, why === 'retry' ? Number.POSITIVE_INFINITY : untilMs);
    };
  }),
  mutate('a retry does not wait', Core, 'hold', (hold) => {
    return function (this: Core, row, why, untilMs) {
      hold.call(this, row, why, why === 'retry' ? 0 : untilMs);
    };
  }),
  mutate('a recalled attempt counts', Life, 'giveBack', (giveBack) => {
    return function (this: Life, attempt, nowMs) {
      const { tried } = this.core.table;
      tried.set(attempt.row, tried.get(attempt.row) + 1);
      giveBack.call(this, attempt, nowMs);
    };
  }),
  mutate('a recalled attempt counts backwards', Life, 'giveBack', (giveBack) => {
    return function (this: Life, attempt, nowMs) {
      const { tried } = this.core.table;
      tried.set(attempt.row, Math.max(0, tried.get(attempt.row) - 1));
      giveBack.call(this, attempt, nowMs);
    };
  }),
  mutate('the deadline is forgotten', Life, 'watch', () => {
    return function (this: Life, attempt, nowMs) {
      attempt.startedAtMs = nowMs;
    };
  }),
  mutate('time runs before there is a slot', Life, 'watch', (watch) => {
    return function (this: Life, attempt, nowMs) {
      watch.call(this, attempt, Math.min(nowMs, attempt.dispatchedAtMs));
    };
  }),
  mutate('the lowest score goes first', Life, 'enter', (enter) => {
    return function (this: Life, task) {
      return enter.call(this, { ...task, score: -task.priority * 60_000 });
    };
  }),
  mutate('of equal scores the last one goes first', Core, 'nextSequence', (next) => {
    return function (this: Core) {
      return -next.call(this);
    };
  }),
  mutate('no quarantine', Life, 'finality', (finality) => {
    return function (this: Life, attempt, ending) {
      const why = finality.call(this, attempt, ending);
      return why === 'quarantine' ? undefined : why;
    };
  }),
  mutate('attempts have no end', Life, 'finality', (finality) => {
    return function (this: Life, attempt, ending) {
      const why = finality.call(this, attempt, ending);
      return why === 'attempts' ? undefined : why;
    };
  }),
  mutate('the failure of a script is tried again', Life, 'finality', (finality) => {
    return function (this: Life, attempt, ending) {
      return ending.outcome === 'runtime_error' ? undefined : finality.call(this, attempt, ending);
    };
  }),
  mutate('one attempt too few', Life, 'finality', (finality) => {
    return function (this: Life, attempt, ending) {
      const { tried, maxAttempts } = this.core.table;
      const last = tried.get(attempt.row) + 1 === maxAttempts.get(attempt.row);
      return finality.call(this, attempt, ending) ?? (last ? 'attempts' : undefined);
    };
  }),
  mutate('a cancelled task is tried again', Life, 'finality', (finality) => {
    return function (this: Life, attempt, ending) {
      return finality.call(this, { ...attempt, cancel: undefined }, ending);
    };
  }),
  mutate('a running task is not told to stop', Life, 'stop', () => {
    return function (this: Life, attempt) {
      this.core.wakeAt(attempt.row, Number.POSITIVE_INFINITY);
    };
  }),
  mutate('an attempt is told to stop again and again', Core, 'moveAttempt', (move) => {
    return function (this: Core, attempt, event) {
      if (event !== 'stop') move.call(this, attempt, event);
    };
  }),
  mutate('a deaf worker is left alone', Life, 'drop', () => nothing),
  mutate('stale attempts go on', Attendance, 'stopStale', () => nothing),
  mutate('nothing is adopted', Attendance, 'claim', () => nothing),
  mutate('a loss is not noticed', Life, 'lost', () => nothing),
  mutate('nobody is waited for', Attendance, 'wait', () => {
    return function (this: Attendance, worker, untilMs) {
      this.lose(worker, untilMs);
    };
  }),
  mutate('a paused type goes on', Placement, 'pause', () => nothing),
  mutate('a draining worker gets more', Placement, 'drain', () => nothing),
  mutate('nothing is recalled', Placement, 'level', () => nothing),
  mutate('what has begun is recalled', Placement, 'level', (level) => {
    return function (this: Placement, type) {
      level.call(this, type);
      for (const attempt of this.core.attempts.values()) {
        if (attempt.state === 'started') this.life.recall(attempt);
      }
    };
  }),
  mutate('a worker gets more than it takes', Workers, 'add', (add) => {
    return function (this: Workers, offer, awayUntilMs) {
      return add.call(this, { ...offer, prefetch: (offer.prefetch ?? 0) + 1 }, awayUntilMs);
    };
  }),
  mutate('a free slot is not noticed', Life, 'release', () => {
    return function (this: Life, worker, id) {
      this.core.workers.release(worker, id);
    };
  }),
  mutate('the time to live is forgotten', Life, 'enter', (enter) => {
    return function (this: Life, task) {
      return enter.call(this, { ...task, expiresAtMs: undefined });
    };
  }),
  mutate('a delayed task runs at once', Life, 'submit', (submit) => {
    return function (this: Life, task) {
      submit.call(this, { ...task, runAtMs: undefined });
    };
  }),
  mutate('dispatching does not wait for the workers of before', Placement, 'place', (place) => {
    return function (this: Placement, nowMs) {
      this.core.settledAtMs = Number.NEGATIVE_INFINITY;
      place.call(this, nowMs);
    };
  }),
  mutate('a restart forgets what was tried', Recovery, 'restore', (restore) => {
    return function (this: Recovery, task, moment) {
      restore.call(this, { ...task, attemptsBefore: task.attempt }, moment);
    };
  }),
  mutate('a restart forgets which attempt it was', Recovery, 'restore', (restore) => {
    return function (this: Recovery, task, moment) {
      restore.call(this, { ...task, attempt: 0 }, moment);
    };
  }),
  mutate('a restart forgets who was to be ended', Recovery, 'restore', (restore) => {
    return function (this: Recovery, task, moment) {
      restore.call(this, { ...task, cancel: undefined }, moment);
    };
  }),
  mutate('a restart takes running tasks for pending', Recovery, 'restore', (restore) => {
    return function (this: Recovery, task, moment) {
      restore.call(this, { ...task, state: 'pending' }, moment);
    };
  }),
  mutate('retries come at any rate', RetryRate, 'takeMs', () => (nowMs) => nowMs),
  mutate('how long a task lasts does not count', FairQueue, 'settle', () => nothing),
  mutate('all groups weigh the same', Groups, 'add', (add) => {
    return function (this: Groups, make) {
      return add.call(this, (index) => ({ ...make(index), weight: 1 }));
    };
  }),
];
