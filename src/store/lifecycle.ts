import { limits } from '../limits.js';
import type { AttemptRecord, TaskView } from '../task.js';
import type { Completion, Requeue, Resubmission, Touch } from './port.js';

/** What each call of the port makes of a task. Pure: every store has the same. */

export function claimed(view: TaskView, attempt: AttemptRecord): TaskView {
  const { nextAttemptAt: _, ...rest } = view;
  return {
    ...rest,
    state: 'running',
    attempt: attempt.attempt,
    attempts: withBegun(view.attempts, attempt),
    startedAt: attempt.startedAt,
    worker: attempt.worker,
  };
}

export function requeued(view: TaskView, { attempt, nextAttemptAt }: Requeue): TaskView {
  return {
    ...view,
    state: 'pending',
    attempts: withEnded(view.attempts, attempt),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
  };
}

export function finished(view: TaskView, completion: Completion): TaskView {
  const { attempt, ending, finishedAt, timeline, deadLetter } = completion;
  const { outcome, code, reason, result } = ending;
  const { nextAttemptAt: _, ...rest } = view;
  return {
    ...rest,
    state: 'finished',
    outcome,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    attempts: attempt ? withEnded(view.attempts, attempt) : view.attempts,
    finishedAt,
    ...(deadLetter && { deadLetter }),
    ...(timeline && { timeline }),
    ...(result && {
      ...(result.exitCode !== undefined && { exitCode: result.exitCode }),
      ...(result.signal !== undefined && { signal: result.signal }),
      stdout: result.stdout,
      stderr: result.stderr,
      truncated: result.truncated,
      ...(result.usage && { usage: result.usage }),
      ...(result.exception && { exception: result.exception }),
      ...(result.format && { format: result.format }),
      ...(result.files && { files: result.files }),
      ...(result.filesNotCollected && { filesNotCollected: result.filesNotCollected }),
    }),
  };
}

export function touched(view: TaskView, { changes }: Touch): TaskView {
  if (view.state === 'finished') {
    return changes.cancel ? { ...view, cancel: changes.cancel } : view;
  }
  const { runAt, expiresAt, nextAttemptAt, ...others } = changes;
  const next: TaskView = { ...view, ...others };
  for (const [name, value] of Object.entries({ runAt, expiresAt, nextAttemptAt })) {
    const key = name as 'runAt' | 'expiresAt' | 'nextAttemptAt';
    if (value === null) delete next[key];
    else if (value !== undefined) next[key] = value;
  }
  // It is being tried.
  if (view.state === 'running') delete next.nextAttemptAt;
  return next;
}

/** What it is and what it went through stays; what came of it goes. */
export function resubmitted(view: TaskView, { runAt, expiresAt }: Resubmission): TaskView {
  const { id, type, priority, score, group, tags, limits, network, attempt, attempts } = view;
  return {
    id,
    type,
    state: 'pending',
    priority,
    score,
    ...(group !== undefined && { group }),
    tags,
    limits,
    network,
    attempt,
    attempts,
    createdAt: view.createdAt,
    ...(runAt !== undefined && { runAt }),
    ...(expiresAt !== undefined && { expiresAt }),
    durability: view.durability,
  };
}

/** What of a task is large, and is kept and read apart from it. */
export type Bulk = Pick<TaskView, 'stdout' | 'stderr' | 'files' | 'exception'>;

/** A task without what is large in it, and that by itself; undefined when there is none. */
export function withoutBulk(view: TaskView): { small: TaskView; bulk: Bulk | undefined } {
  const { stdout, stderr, files, exception, ...small } = view;
  const bulk: Bulk = {
    ...(stdout !== undefined && { stdout }),
    ...(stderr !== undefined && { stderr }),
    ...(files !== undefined && { files }),
    ...(exception !== undefined && { exception }),
  };
  return { small, bulk: Object.keys(bulk).length > 0 ? bulk : undefined };
}

/** One that another controller had begun is claimed anew, as the same attempt. */
function withBegun(attempts: readonly AttemptRecord[], begun: AttemptRecord): AttemptRecord[] {
  const others = attempts.filter(({ attempt }) => attempt !== begun.attempt);
  return [...others.slice(1 - limits.attemptsKeptMax), begun];
}

/** The attempts with the one that ended in its place. */
function withEnded(attempts: readonly AttemptRecord[], ended: AttemptRecord): AttemptRecord[] {
  return attempts.map((attempt) => (attempt.attempt === ended.attempt ? ended : attempt));
}
