import { invariant } from '../../invariant.js';
import type { TaskView } from '../../task.js';
import { claimed, finished, requeued, resubmitted, touched, withoutBulk } from '../lifecycle.js';
import { storeLimits } from '../limits.js';
import type {
  Claim,
  Completion,
  Requeue,
  Resubmission,
  Submission,
  Submitted,
  Touch,
} from '../port.js';
import type { Changes } from './changes.js';
import { facetsOf } from './facets.js';
import { endingKey, keyTimeKey, sequenceKey, taskKey } from './keys.js';
import {
  type Counts,
  decode,
  decodeRow,
  encode,
  encodeEnding,
  encodeRow,
  type Head,
  type IdempotencyRecord,
  type Row,
} from './records.js';

/** What each call of the port writes. Everything that a task has in the store is kept in step. */

const countsKey = Buffer.from('counts');
export const noCounts: Counts = {
  sequence: 0,
  pending: 0,
  running: 0,
  finished: 0,
  unfinishedBytes: 0,
  finishedBytes: 0,
};

export function readCounts(source: Pick<Changes, 'get'>): Counts {
  const bytes = source.get('meta', countsKey);
  return bytes ? decode<Counts>(bytes) : { ...noCounts };
}

export function writeCounts(changes: Changes, counts: Counts): void {
  changes.put('meta', countsKey, encode(counts));
}

/** A task that is to be changed. */
interface Found {
  id: Buffer;
  head: Head;
  row: Row;
  state: TaskView['state'];
  /** The view as callers see it. */
  view: TaskView;
}

export function submit(changes: Changes, submissions: readonly Submission[]): Submitted[] {
  const counts = readCounts(changes);
  const submitted = submissions.map(({ view, spec }): Submitted => {
    const { id: taskId, createdAt } = view;
    const id = keyOf(taskId);
    const existing = existingFor(changes, spec.idempotencyKey, createdAt);
    if (existing !== undefined) return { existing };
    invariant(!changes.get('tasks', id), `task ${taskId} was stored twice`);
    const body = encode(spec);
    if (spec.idempotencyKey !== undefined) {
      holdKey(changes, spec.idempotencyKey, { taskId, at: createdAt });
    }
    const sequence = ++counts.sequence;
    const row: Row = {
      id: taskId,
      type: view.type,
      createdAt,
      wallMs: view.limits.wallMs,
      bytes: body.length,
      attemptsBefore: 0,
      workerDeaths: 0,
      group: view.group,
      tags: view.tags,
      retry: spec.retry,
      worker: undefined,
      startedAt: undefined,
      outcome: undefined,
      deadLetter: undefined,
      finishedAt: undefined,
      resultBytes: 0,
      ...changing(view),
    };
    changes.put('specs', id, body);
    changes.put('tasks', id, encode({ sequence, view } satisfies Head));
    changes.put('pending', sequenceKey(sequence), encodeRow(row, id));
    for (const key of facetsOf(row, sequence)) changes.put('facets', key, nothing);
    counts.pending += 1;
    counts.unfinishedBytes += body.length;
    return { view };
  });
  writeCounts(changes, counts);
  return submitted;
}

export function claim(changes: Changes, claims: readonly Claim[]): void {
  const counts = readCounts(changes);
  for (const { taskId, attempt } of claims) {
    const { id, head, row, state } = findUnfinished(changes, taskId);
    const key = sequenceKey(head.sequence);
    if (state === 'pending') {
      changes.remove('pending', key);
      counts.pending -= 1;
      counts.running += 1;
    } else {
      // Claimed again without an end of the attempt before: that must not be lost.
      const { nextAttemptAt: _, ...view } = viewOf(head, row, state);
      changes.put('tasks', id, encode({ ...head, view } satisfies Head));
    }
    const { worker, startedAt } = attempt;
    const next: Row = {
      ...row,
      attempt: attempt.attempt,
      nextAttemptAt: undefined,
      worker,
      startedAt,
    };
    changes.put('running', key, encodeRow(next, id));
  }
  writeCounts(changes, counts);
}

export function requeue(changes: Changes, requeues: readonly Requeue[]): void {
  const counts = readCounts(changes);
  for (const request of requeues) {
    const { id, head, row, state, view } = findUnfinished(changes, request.taskId);
    const next = requeued(view, request);
    const key = sequenceKey(head.sequence);
    const nextRow: Row = {
      ...row,
      ...changing(next),
      workerDeaths: request.workerDeaths ?? row.workerDeaths,
      worker: undefined,
      startedAt: undefined,
    };
    if (state === 'running') {
      changes.remove('running', key);
      counts.running -= 1;
      counts.pending += 1;
    }
    changes.put('pending', key, encodeRow(nextRow, id));
    changes.put('tasks', id, encode({ ...head, view: next } satisfies Head));
  }
  writeCounts(changes, counts);
}

export function complete(changes: Changes, completions: readonly Completion[]): TaskView[] {
  const counts = readCounts(changes);
  const views = completions.map((completion) => {
    const { id, head, row, state, view } = findUnfinished(changes, completion.taskId);
    const next = finished(view, completion);
    const { small, bulk } = withoutBulk(next);
    const result = bulk && encode(bulk);
    if (result) changes.put('results', id, result);
    changes.put('tasks', id, encode({ ...head, view: small } satisfies Head));
    const nextRow: Row = {
      ...row,
      ...changing(next),
      worker: undefined,
      startedAt: undefined,
      outcome: next.outcome,
      deadLetter: next.deadLetter,
      finishedAt: completion.finishedAt,
      resultBytes: result?.length ?? 0,
    };
    const { sequence } = head;
    changes.remove(state, sequenceKey(sequence));
    changes.put('finished', sequenceKey(sequence), encodeRow(nextRow, id));
    changes.put('endings', endingKey(completion.finishedAt, sequence), encodeEnding(next, id));
    for (const key of facetsOf(nextRow, sequence)) changes.put('facets', key, nothing);
    counts[state] -= 1;
    counts.finished += 1;
    counts.unfinishedBytes -= row.bytes;
    counts.finishedBytes += row.bytes + nextRow.resultBytes;
    return next;
  });
  writeCounts(changes, counts);
  return views;
}

export function touch(changes: Changes, touches: readonly Touch[]): void {
  for (const request of touches) {
    const found = find(changes, request.taskId);
    if (!found) continue;
    const { id, head, row, state, view } = found;
    // The head of a running task stays as it was before the attempt.
    const headView = touched(head.view, request);
    changes.put('tasks', id, encode({ ...head, view: headView } satisfies Head));
    const next: Row = { ...row, ...changing(touched(view, request)) };
    changes.put(state, sequenceKey(head.sequence), encodeRow(next, id));
  }
}

export function resubmit(
  changes: Changes,
  resubmissions: readonly Resubmission[],
): (TaskView | undefined)[] {
  const counts = readCounts(changes);
  const views = resubmissions.map((resubmission) => {
    const found = find(changes, resubmission.taskId);
    if (found?.state !== 'finished') return undefined;
    const { id, head, row } = found;
    removeRows(changes, head.sequence, row);
    changes.remove('results', id);
    const view = resubmitted(head.view, resubmission);
    const sequence = ++counts.sequence;
    const next: Row = {
      ...row,
      ...changing(view),
      attemptsBefore: view.attempt,
      workerDeaths: 0,
      outcome: undefined,
      deadLetter: undefined,
      finishedAt: undefined,
      resultBytes: 0,
    };
    changes.put('tasks', id, encode({ sequence, view } satisfies Head));
    changes.put('pending', sequenceKey(sequence), encodeRow(next, id));
    for (const key of facetsOf(next, sequence)) changes.put('facets', key, nothing);
    counts.finished -= 1;
    counts.pending += 1;
    counts.finishedBytes -= row.bytes + row.resultBytes;
    counts.unfinishedBytes += row.bytes;
    return view;
  });
  writeCounts(changes, counts);
  return views;
}

/** Takes away everything of a finished task. */
export function forget(changes: Changes, counts: Counts, sequence: number, row: Row): void {
  removeRows(changes, sequence, row);
  const id = keyOf(row.id);
  changes.remove('tasks', id);
  changes.remove('specs', id);
  if (row.resultBytes > 0) changes.remove('results', id);
  counts.finished -= 1;
  counts.finishedBytes -= row.bytes + row.resultBytes;
}

/** The view as callers see it: of a running task the head has not the attempt yet. */
export function viewOf(head: Head, row: Row, state: TaskView['state']): TaskView {
  const { attempt, worker, startedAt } = row;
  if (state !== 'running' || worker === undefined || startedAt === undefined) return head.view;
  return claimed(head.view, { attempt, worker, startedAt });
}

const states = ['running', 'pending', 'finished'] as const;

/** The row of a submission, and the state that it stands in. */
export function rowOf(
  source: Pick<Changes, 'get'>,
  sequence: number,
): { row: Row; state: TaskView['state'] } | undefined {
  const key = sequenceKey(sequence);
  for (const state of states) {
    const bytes = source.get(state, key);
    if (bytes) return { row: decodeRow(bytes), state };
  }
  return undefined;
}

function find(changes: Changes, taskId: string): Found | undefined {
  const id = taskKey(taskId);
  const bytes = id && changes.get('tasks', id);
  if (!id || !bytes) return undefined;
  const head = decode<Head>(bytes);
  const found = rowOf(changes, head.sequence);
  invariant(found, `task ${taskId} has no row`);
  return { id, head, ...found, view: viewOf(head, found.row, found.state) };
}

function findUnfinished(changes: Changes, taskId: string) {
  const found = find(changes, taskId);
  invariant(found, `task ${taskId} is not in the store`);
  const { state } = found;
  invariant(state !== 'finished', `task ${taskId} is finished`);
  return { ...found, state };
}

/** What of a row follows the view. */
function changing(view: TaskView) {
  const { priority, attempt, runAt, expiresAt, nextAttemptAt, cancel } = view;
  return { priority, attempt, runAt, expiresAt, nextAttemptAt, cancel };
}

function removeRows(changes: Changes, sequence: number, row: Row): void {
  changes.remove('finished', sequenceKey(sequence));
  changes.remove('endings', endingKey(row.finishedAt ?? 0, sequence));
  for (const key of facetsOf(row, sequence)) changes.remove('facets', key);
}

function keyOf(taskId: string): Buffer {
  const id = taskKey(taskId);
  invariant(id, `${taskId} is not the id of a task`);
  return id;
}

function existingFor(
  changes: Changes,
  idempotencyKey: string | undefined,
  at: number,
): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const bytes = changes.get('keys', Buffer.from(idempotencyKey));
  const held = bytes && decode<IdempotencyRecord>(bytes);
  return held && at - held.at < storeLimits.idempotencyKeyMs ? held.taskId : undefined;
}

/** An idempotency key stands for this task from now on. */
export function holdKey(changes: Changes, idempotencyKey: string, record: IdempotencyRecord): void {
  const key = Buffer.from(idempotencyKey);
  const before = changes.get('keys', key);
  if (before) {
    changes.remove('keyTimes', keyTimeKey(decode<IdempotencyRecord>(before).at, key));
  }
  changes.put('keys', key, encode(record));
  changes.put('keyTimes', keyTimeKey(record.at, key), nothing);
}

export const nothing = Buffer.alloc(0);
