import { invariant } from '../../invariant.js';
import type { TaskSpec, TaskView } from '../../task.js';
import type { Delivery } from '../../webhook.js';
import {
  type Bulk,
  bulkOf,
  claimed,
  finished,
  requeued,
  resubmitted,
  touched,
  withoutBulk,
} from '../lifecycle.js';
import { storeLimits } from '../limits.js';
import type {
  Claim,
  Completion,
  HistoryRecord,
  Requeue,
  Resubmission,
  Submission,
  Submitted,
  Touch,
} from '../port.js';
import type { Changes } from './changes.js';
import { owe, putDelivery, removeDelivery } from './deliveries.js';
import { facetsOf } from './facets.js';
import { endingKey, isTaskId, keyTimeKey } from './keys.js';
import type { Source } from './layer.js';
import {
  type Counts,
  decode,
  encode,
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

export function readCounts(source: Source): Counts {
  const bytes = source.get('meta', countsKey);
  return bytes ? decode<Counts>(bytes) : { ...noCounts };
}

export function writeCounts(changes: Changes, counts: Counts): void {
  changes.put('meta', countsKey, encode(counts));
}

/** A task that is to be changed. */
interface Found {
  id: string;
  head: Head;
  row: Row;
  state: TaskView['state'];
  /** The view as callers see it. */
  view: TaskView;
}

export function submit(changes: Changes, submissions: readonly Submission[]): Submitted[] {
  const counts = readCounts(changes);
  const submitted = submissions.map(({ view, spec }): Submitted => {
    const { id, createdAt } = view;
    invariant(isTaskId(id), `${id} is not the id of a task`);
    const existing = existingFor(changes, spec.idempotencyKey, createdAt);
    if (existing !== undefined) return { existing };
    invariant(!changes.get('tasks', id), `task ${id} was stored twice`);
    if (spec.idempotencyKey !== undefined) {
      holdKey(changes, spec.idempotencyKey, { taskId: id, at: createdAt });
    }
    insert(changes, counts, { view, spec, bulk: undefined, attemptsBefore: 0, workerDeaths: 0 });
    return { view };
  });
  writeCounts(changes, counts);
  return submitted;
}

/** A task with everything that belongs to it. */
export interface Whole {
  /** Without bulk. */
  view: TaskView;
  bulk: Bulk | undefined;
  spec: TaskSpec;
  attemptsBefore: number;
  workerDeaths: number;
  /** Of a finished task with a webhook. */
  delivery?: Delivery;
}

/** Adds a task, whatever its state, as the newest submission. */
export function insert(changes: Changes, counts: Counts, whole: Whole): void {
  const { view, bulk, spec, attemptsBefore, workerDeaths, delivery } = whole;
  const { id, state, type, createdAt, limits, group, tags } = view;
  const sequence = ++counts.sequence;
  const body = encode(spec);
  const result = bulk && encode(bulk);
  const isRunning = state === 'running';
  const row: Row = {
    id,
    type,
    createdAt,
    wallMs: limits.wallMs,
    bytes: body.length,
    attemptsBefore,
    workerDeaths,
    group,
    tags: tags.length > 0 ? tags : undefined,
    retry: spec.retry,
    worker: isRunning ? view.worker : undefined,
    startedAt: isRunning ? view.startedAt : undefined,
    outcome: view.outcome,
    deadLetter: view.deadLetter,
    finishedAt: view.finishedAt,
    resultBytes: result?.length,
    ...changing(view),
  };
  changes.put('specs', id, body);
  if (result) changes.put('results', id, result);
  changes.put('tasks', id, { sequence, view: isRunning ? unclaimed(view) : view });
  changes.put(state, sequence, row);
  for (const key of facetsOf(row, sequence)) changes.put('facets', key, nothing);
  counts[state] += 1;
  if (state === 'finished') {
    changes.put('endings', endingKey(row.finishedAt ?? 0, sequence), historyOf(view));
    if (delivery) putDelivery(changes, view, sequence, delivery);
    counts.finishedBytes += row.bytes + (row.resultBytes ?? 0);
  } else {
    counts.unfinishedBytes += row.bytes;
  }
}

export function claim(changes: Changes, claims: readonly Claim[]): void {
  const counts = readCounts(changes);
  for (const { taskId, attempt, tried } of claims) {
    const found = find(changes, taskId);
    if (!found || found.state === 'finished') continue;
    const { id, head, row, state } = found;
    const key = head.sequence;
    if (state === 'pending') {
      changes.remove('pending', key);
      counts.pending -= 1;
      counts.running += 1;
    } else {
      // Claimed again without an end of the attempt before: that must not be lost.
      const { nextAttemptAt: _, ...view } = viewOf(head, row, state);
      changes.put('tasks', id, { ...head, view });
    }
    const { worker, startedAt } = attempt;
    const next: Row = {
      ...row,
      attempt: attempt.attempt,
      attemptsBefore: tried === undefined ? row.attemptsBefore : attempt.attempt - tried,
      nextAttemptAt: undefined,
      worker,
      startedAt,
    };
    changes.put('running', key, next);
  }
  writeCounts(changes, counts);
}

export function requeue(changes: Changes, requeues: readonly Requeue[]): void {
  const counts = readCounts(changes);
  for (const request of requeues) {
    const found = find(changes, request.taskId);
    if (!found || found.state === 'finished') continue;
    const { id, head, row, state, view } = found;
    const next = requeued(view, request);
    const key = head.sequence;
    const nextRow: Row = {
      ...row,
      ...changing(next),
      attemptsBefore:
        request.tried === undefined ? row.attemptsBefore : next.attempt - request.tried,
      workerDeaths: request.workerDeaths ?? row.workerDeaths,
      worker: undefined,
      startedAt: undefined,
    };
    if (state === 'running') {
      changes.remove('running', key);
      counts.running -= 1;
      counts.pending += 1;
    }
    changes.put('pending', key, nextRow);
    changes.put('tasks', id, { ...head, view: next });
  }
  writeCounts(changes, counts);
}

export function complete(changes: Changes, completions: readonly Completion[]): TaskView[] {
  const counts = readCounts(changes);
  const views = completions.map((completion) => {
    const found = find(changes, completion.taskId);
    invariant(found, `task ${completion.taskId} is not in the store`);
    const { id, head, row, state, view } = found;
    invariant(state !== 'finished', `task ${id} is finished`);
    const next = finished(view, completion);
    const bulk = bulkOf(next);
    const result = bulk && encode(bulk);
    if (result) changes.put('results', id, result);
    changes.put('tasks', id, { sequence: head.sequence, view: withoutBulk(next) });
    const nextRow: Row = {
      ...row,
      ...changing(next),
      worker: undefined,
      startedAt: undefined,
      outcome: next.outcome,
      deadLetter: next.deadLetter,
      finishedAt: completion.finishedAt,
      resultBytes: result?.length,
    };
    const { sequence } = head;
    changes.remove(state, sequence);
    changes.put('finished', sequence, nextRow);
    changes.put('endings', endingKey(completion.finishedAt, sequence), historyOf(next));
    for (const key of facetsOf(nextRow, sequence)) changes.put('facets', key, nothing);
    owe(changes, next, sequence);
    counts[state] -= 1;
    counts.finished += 1;
    counts.unfinishedBytes -= row.bytes;
    counts.finishedBytes += row.bytes + (nextRow.resultBytes ?? 0);
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
    changes.put('tasks', id, { ...head, view: headView });
    const next: Row = { ...row, ...changing(touched(view, request)) };
    changes.put(state, head.sequence, next);
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
    removeDelivery(changes, id, head.sequence);
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
      resultBytes: undefined,
    };
    changes.put('tasks', id, { sequence, view });
    changes.put('pending', sequence, next);
    for (const key of facetsOf(next, sequence)) changes.put('facets', key, nothing);
    counts.finished -= 1;
    counts.pending += 1;
    counts.finishedBytes -= row.bytes + (row.resultBytes ?? 0);
    counts.unfinishedBytes += row.bytes;
    return view;
  });
  writeCounts(changes, counts);
  return views;
}

/** Takes away everything of a finished task. @returns whether its webhook was still to be told */
export function forget(changes: Changes, counts: Counts, sequence: number, row: Row): boolean {
  removeRows(changes, sequence, row);
  const { id, resultBytes } = row;
  changes.remove('tasks', id);
  changes.remove('specs', id);
  if (resultBytes !== undefined) changes.remove('results', id);
  counts.finished -= 1;
  counts.finishedBytes -= row.bytes + (row.resultBytes ?? 0);
  return removeDelivery(changes, id, sequence);
}

/** The view as callers see it: of a running task the head has not the attempt yet. */
export function viewOf(head: Head, row: Row, state: TaskView['state']): TaskView {
  const { attempt, worker, startedAt } = row;
  if (state !== 'running' || worker === undefined || startedAt === undefined) return head.view;
  return claimed(head.view, { attempt, worker, startedAt });
}

/** A running task as it was before its attempt: the inverse of `viewOf`. */
function unclaimed(view: TaskView): TaskView {
  const attempts = view.attempts.filter(({ attempt }) => attempt !== view.attempt);
  return { ...view, state: 'pending', attempts, attempt: attempts.at(-1)?.attempt ?? 0 };
}

const states = ['running', 'pending', 'finished'] as const;

/** The row of a submission, and the state that it stands in. */
export function rowOf(
  source: Source,
  sequence: number,
): { row: Row; state: TaskView['state'] } | undefined {
  for (const state of states) {
    const row = source.get(state, sequence);
    if (row) return { row, state };
  }
  return undefined;
}

function find(changes: Changes, taskId: string): Found | undefined {
  const head = isTaskId(taskId) ? changes.get('tasks', taskId) : undefined;
  if (!head) return undefined;
  const found = rowOf(changes, head.sequence);
  invariant(found, `task ${taskId} has no row`);
  return { id: taskId, head, ...found, view: viewOf(head, found.row, found.state) };
}

/** What of a row follows the view. */
function changing(view: TaskView) {
  const { priority, score, attempt, runAt, expiresAt, nextAttemptAt, cancel } = view;
  return { priority, score, attempt, runAt, expiresAt, nextAttemptAt, cancel };
}

function removeRows(changes: Changes, sequence: number, row: Row): void {
  changes.remove('finished', sequence);
  changes.remove('endings', endingKey(row.finishedAt ?? 0, sequence));
  for (const key of facetsOf(row, sequence)) changes.remove('facets', key);
}

function historyOf(view: TaskView): HistoryRecord {
  const { id, type, group, priority, createdAt, startedAt, finishedAt = 0 } = view;
  return {
    id,
    type,
    priority,
    createdAt,
    finishedAt,
    ...(group !== undefined && { group }),
    ...(startedAt !== undefined && { startedAt }),
  };
}

function existingFor(
  changes: Changes,
  idempotencyKey: string | undefined,
  at: number,
): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const held = changes.get('keys', Buffer.from(idempotencyKey));
  return held && at - held.at < storeLimits.idempotencyKeyMs ? held.taskId : undefined;
}

/** An idempotency key stands for this task from now on. */
export function holdKey(changes: Changes, idempotencyKey: string, record: IdempotencyRecord): void {
  const key = Buffer.from(idempotencyKey);
  const before = changes.get('keys', key);
  if (before) {
    changes.remove('keyTimes', keyTimeKey(before.at, key));
  }
  changes.put('keys', key, record);
  changes.put('keyTimes', keyTimeKey(record.at, key), nothing);
}

export const nothing = Buffer.alloc(0);
