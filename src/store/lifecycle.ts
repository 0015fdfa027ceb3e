import { limits } from '../limits.js';
import type { AttemptRecord, Result, TaskView } from '../task.js';
import type { Completion, Requeue, Resubmission, Touch } from './port.js';

/** What each call of the port makes of a task. Pure: every store has the same. */

// On the way of every task: so properties are set one by one. What is spread conditionally takes ten
// times as long.

export function claimed(view: TaskView, attempt: AttemptRecord): TaskView {
  return {
    ...withoutNextAttempt(view),
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
  const next: TaskView = {
    ...withoutNextAttempt(view),
    state: 'finished',
    outcome,
    attempts: attempt ? withEnded(view.attempts, attempt) : view.attempts,
    finishedAt,
  };
  if (code !== undefined) next.code = code;
  if (reason !== undefined) next.reason = reason;
  if (deadLetter) next.deadLetter = true;
  if (timeline) next.timeline = timeline;
  if (result) addResult(next, result);
  return next;
}

function addResult(view: TaskView, result: Result): void {
  const { exitCode, signal, usage, exception, format, files, filesNotCollected } = result;
  if (exitCode !== undefined) view.exitCode = exitCode;
  if (signal !== undefined) view.signal = signal;
  view.stdout = result.stdout;
  view.stderr = result.stderr;
  view.truncated = result.truncated;
  if (usage) view.usage = usage;
  if (exception) view.exception = exception;
  if (format) view.format = format;
  if (files) view.files = files;
  if (filesNotCollected) view.filesNotCollected = filesNotCollected;
}

function withoutNextAttempt(view: TaskView): TaskView {
  if (view.nextAttemptAt === undefined) return view;
  const { nextAttemptAt: _, ...rest } = view;
  return rest;
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
    ...(view.webhook && { webhook: view.webhook }),
    durability: view.durability,
  };
}

/** What of a task is large, and is kept and read apart from it. */
export type Bulk = Pick<TaskView, 'stdout' | 'stderr' | 'files' | 'exception'>;

/** A task without what is large in it. */
export function withoutBulk(view: TaskView): TaskView {
  const { stdout: _, stderr: __, files: ___, exception: ____, ...small } = view;
  return small;
}

/** What is large in a task; undefined when nothing is. */
export function bulkOf({ stdout, stderr, files, exception }: TaskView): Bulk | undefined {
  if (!stdout && !stderr && !files && !exception) return undefined;
  const bulk: Bulk = {};
  if (stdout) bulk.stdout = stdout;
  if (stderr) bulk.stderr = stderr;
  if (files) bulk.files = files;
  if (exception) bulk.exception = exception;
  return bulk;
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
