import type { Task } from '../../src/client/task.js';

/** Something that happened to a task, or is to happen. */
export interface LifeEvent {
  /** RFC 3339. */
  at: string;
  /** A few words. */
  text: string;
  kind: 'plain' | 'good' | 'bad' | 'coming';
  /** The service's own sentence on it. */
  reason?: string;
}

const causes = {
  caller: 'by a caller',
  client_gone: 'because its client went away',
  shutdown: 'because the service is shut down',
} as const;

/** All that is known of a task's life, in the order of time; of what came at once, in order of cause. */
export function lifeOf(task: Task): LifeEvent[] {
  const events: LifeEvent[] = [];
  const add = (at: string | undefined, event: Omit<LifeEvent, 'at'>) => {
    if (at !== undefined) events.push({ at, ...event });
  };
  add(task.createdAt, { text: 'submitted', kind: 'plain' });
  add(task.runAt, { text: 'may begin', kind: 'plain' });
  for (const { attempt, worker, startedAt, finishedAt, ...end } of task.attempts) {
    add(startedAt, { text: `attempt ${attempt} goes to worker ${worker}`, kind: 'plain' });
    add(finishedAt, attemptEnd(attempt, end));
  }
  const { cancel } = task;
  if (cancel) {
    add(cancel.requestedAt, { text: `cancelled ${causes[cancel.cause]}`, kind: 'plain' });
    add(cancel.signalledAt, { text: 'its worker is told to end it', kind: 'plain' });
    add(cancel.goneAt, { text: 'nothing of it is left', kind: 'plain' });
  }
  if (task.state === 'finished') add(task.finishedAt, taskEnd(task));
  else {
    add(task.nextAttemptAt, { text: 'is tried again', kind: 'coming' });
    add(task.expiresAt, { text: 'expires if it has not begun', kind: 'coming' });
  }
  // Times are of one length, in UTC: their order is that of their letters. The sort is stable.
  return events.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

type End = Pick<Task, 'outcome' | 'code' | 'reason'>;

function attemptEnd(attempt: number, { outcome, code, reason }: End): Omit<LifeEvent, 'at'> {
  if (outcome === undefined) {
    return { text: `attempt ${attempt} comes back before it has begun`, kind: 'plain' };
  }
  return {
    text: `attempt ${attempt} ends: ${words(outcome, code)}`,
    kind: outcome === 'success' ? 'good' : 'bad',
    ...(reason !== undefined && { reason }),
  };
}

function taskEnd({ outcome = 'success', code, deadLetter }: Task): Omit<LifeEvent, 'at'> {
  const end = `finished: ${words(outcome, code)}`;
  return {
    text: deadLetter ? `${end}; a dead letter` : end,
    kind: outcome === 'success' ? 'good' : 'bad',
  };
}

function words(outcome: string, code: string | undefined): string {
  return `${outcome.replaceAll('_', ' ')}${code === undefined ? '' : ` (${code})`}`;
}
