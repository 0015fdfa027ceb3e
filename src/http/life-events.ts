import type { TaskView } from '../task.js';
import { timeText } from './time-text.js';

/** Something that happened to a task. */
export interface LifeEvent {
  /** RFC 3339, UTC. */
  at: string;
  event:
    | 'submitted'
    | 'may_begin'
    | 'dispatched'
    | 'attempt_ended'
    /** The worker handed it back before it had begun, or never got it. */
    | 'attempt_returned'
    | 'cancel_requested'
    | 'cancel_signalled'
    | 'cancel_gone'
    | 'finished'
    /** Still to come. */
    | 'next_attempt'
    | 'expires';
  attempt?: number;
  worker?: string;
  outcome?: string;
  code?: string;
  reason?: string;
  /** Who asked for its end. */
  cause?: string;
}

/** All that is known of a task's life, in the order of time; of what came at once, in order of cause. */
export function lifeOf(task: TaskView): LifeEvent[] {
  const events: (Omit<LifeEvent, 'at'> & { atMs: number })[] = [];
  const add = (atMs: number | undefined, event: Omit<LifeEvent, 'at'>) => {
    if (atMs !== undefined) events.push({ atMs, ...event });
  };
  add(task.createdAt, { event: 'submitted' });
  add(task.runAt, { event: 'may_begin' });
  for (const { attempt, worker, startedAt, finishedAt, outcome, code, reason } of task.attempts) {
    add(startedAt, { event: 'dispatched', attempt, worker });
    if (outcome === undefined) add(finishedAt, { event: 'attempt_returned', attempt });
    else {
      add(finishedAt, {
        ...{ event: 'attempt_ended', attempt, outcome },
        ...(code !== undefined && { code }),
        ...(reason !== undefined && { reason }),
      });
    }
  }
  const { cancel } = task;
  if (cancel) {
    add(cancel.requestedAt, { event: 'cancel_requested', cause: cancel.cause });
    add(cancel.signalledAt, { event: 'cancel_signalled' });
    add(cancel.goneAt, { event: 'cancel_gone' });
  }
  if (task.state === 'finished') {
    const { outcome, code, reason } = task;
    add(task.finishedAt, {
      event: 'finished',
      ...(outcome !== undefined && { outcome }),
      ...(code !== undefined && { code }),
      ...(reason !== undefined && { reason }),
    });
  } else {
    add(task.nextAttemptAt, { event: 'next_attempt' });
    add(task.expiresAt, { event: 'expires' });
  }
  events.sort((a, b) => a.atMs - b.atMs);
  return events.map(({ atMs, ...event }) => ({ at: timeText(atMs), ...event }));
}
