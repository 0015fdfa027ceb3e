import { Packr, Unpackr } from 'msgpackr';
import { ScriptdError } from '../../errors.js';
import type { CancelRecord, Retry, TaskSpec, TaskState, TaskView } from '../../task.js';
import type { Outcome } from '../../verdict.js';
import type { Filtered } from '../filter.js';
import type { Bulk } from '../lifecycle.js';
import type { HistoryRecord, IndexRecord } from '../port.js';
import { taskIdOf } from './keys.js';

/**
 * Values: MessagePack. Rows are arrays, so that the names of their fields are not stored a million
 * times; everything else is maps. (lmdb-js's shared structures would make maps as small, but they
 * are written by a transaction on the event loop.)
 */

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, copyBuffers: true });

export function encode(value: unknown): Buffer {
  return packr.pack(value);
}

/** @throws ScriptdError STORE_CORRUPT */
export function decode<T extends Head | TaskSpec | Bulk | Counts | IdempotencyRecord | unknown>(
  bytes: Buffer,
): T {
  try {
    return unpackr.unpack(bytes) as T;
  } catch (cause) {
    throw new ScriptdError('STORE_CORRUPT', 'a record of the store cannot be decoded', { cause });
  }
}

/** A task by its id. */
export interface Head {
  sequence: number;
  /**
   * Without bulk. Of a running task as it was before the attempt: that stands in its row, so that a
   * claim need not write this again.
   */
  view: TaskView;
}

/** A task by the number of its submission: what is read at start and by queries. */
export interface Row {
  id: string;
  type: string;
  priority: number;
  createdAt: number;
  wallMs: number;
  /** Of the spec. */
  bytes: number;
  attempt: number;
  attemptsBefore: number;
  workerDeaths: number;
  group: string | undefined;
  tags: string[];
  runAt: number | undefined;
  expiresAt: number | undefined;
  nextAttemptAt: number | undefined;
  retry: Retry | undefined;
  /** Of the running attempt. */
  worker: string | undefined;
  startedAt: number | undefined;
  cancel: CancelRecord | undefined;
  /** Of a finished task. */
  outcome: Outcome | undefined;
  deadLetter: true | undefined;
  finishedAt: number | undefined;
  resultBytes: number;
}

/** What the store holds, kept with each commit. */
export interface Counts {
  /** The last number that was given to a submission. */
  sequence: number;
  pending: number;
  running: number;
  finished: number;
  unfinishedBytes: number;
  finishedBytes: number;
}

export interface IdempotencyRecord {
  taskId: string;
  at: number;
}

type Fields = [
  id: Buffer,
  type: string,
  priority: number,
  createdAt: number,
  wallMs: number,
  bytes: number,
  attempt: number,
  attemptsBefore: number,
  workerDeaths: number,
  group: string | null,
  tags: string[] | null,
  runAt: number | null,
  expiresAt: number | null,
  nextAttemptAt: number | null,
  retry: Retry | null,
  worker: string | null,
  startedAt: number | null,
  cancel: CancelRecord | null,
  outcome?: Outcome | null,
  deadLetter?: true | null,
  finishedAt?: number | null,
  resultBytes?: number,
];

export function encodeRow(row: Row, id: Buffer): Buffer {
  const fields: Fields = [
    id,
    row.type,
    row.priority,
    row.createdAt,
    row.wallMs,
    row.bytes,
    row.attempt,
    row.attemptsBefore,
    row.workerDeaths,
    row.group ?? null,
    row.tags.length > 0 ? row.tags : null,
    row.runAt ?? null,
    row.expiresAt ?? null,
    row.nextAttemptAt ?? null,
    row.retry ?? null,
    row.worker ?? null,
    row.startedAt ?? null,
    row.cancel ?? null,
  ];
  if (row.finishedAt !== undefined) {
    fields.push(row.outcome ?? null, row.deadLetter ?? null, row.finishedAt, row.resultBytes);
  }
  return encode(fields);
}

/** @throws ScriptdError STORE_CORRUPT */
export function decodeRow(bytes: Buffer): Row {
  const fields = decode<Fields>(bytes);
  if (!Array.isArray(fields) || !(fields[0] instanceof Uint8Array)) {
    throw new ScriptdError('STORE_CORRUPT', 'a row of the store is none');
  }
  return {
    id: taskIdOf(fields[0]),
    type: fields[1],
    priority: fields[2],
    createdAt: fields[3],
    wallMs: fields[4],
    bytes: fields[5],
    attempt: fields[6],
    attemptsBefore: fields[7],
    workerDeaths: fields[8],
    group: fields[9] ?? undefined,
    tags: fields[10] ?? [],
    runAt: fields[11] ?? undefined,
    expiresAt: fields[12] ?? undefined,
    nextAttemptAt: fields[13] ?? undefined,
    retry: fields[14] ?? undefined,
    worker: fields[15] ?? undefined,
    startedAt: fields[16] ?? undefined,
    cancel: fields[17] ?? undefined,
    outcome: fields[18] ?? undefined,
    deadLetter: fields[19] ?? undefined,
    finishedAt: fields[20] ?? undefined,
    resultBytes: fields[21] ?? 0,
  };
}

export function indexRecordOf(row: Row, state: IndexRecord['state']): IndexRecord {
  const { id, type, priority, group, createdAt, runAt, expiresAt, nextAttemptAt } = row;
  const { wallMs, retry, attempt, attemptsBefore, workerDeaths, bytes, cancel } = row;
  const record: IndexRecord = {
    id,
    type,
    state,
    priority,
    createdAt,
    wallMs,
    attempt,
    attemptsBefore,
    workerDeaths,
    bytes,
  };
  if (group !== undefined) record.group = group;
  if (runAt !== undefined) record.runAt = runAt;
  if (expiresAt !== undefined) record.expiresAt = expiresAt;
  if (nextAttemptAt !== undefined) record.nextAttemptAt = nextAttemptAt;
  if (retry !== undefined) record.retry = retry;
  if (row.worker !== undefined) record.worker = row.worker;
  if (row.startedAt !== undefined) record.startedAt = row.startedAt;
  if (cancel !== undefined) record.cancel = cancel;
  return record;
}

export function filteredOf(row: Row, state: TaskState): Filtered {
  const { type, outcome, group, tags, deadLetter } = row;
  return { state, type, outcome, group, tags, deadLetter };
}

/** What history tells of a finished task; its key has the time of its end. */
export function encodeEnding(view: TaskView, id: Buffer): Buffer {
  const { type, group, priority, createdAt, startedAt, finishedAt } = view;
  return encode([id, type, group ?? null, priority, createdAt, startedAt ?? null, finishedAt]);
}

/** @throws ScriptdError STORE_CORRUPT */
export function decodeEnding(bytes: Buffer): HistoryRecord {
  const [id, type, group, priority, createdAt, startedAt, finishedAt] =
    decode<[Buffer, string, string | null, number, number, number | null, number]>(bytes);
  return {
    id: taskIdOf(id),
    type,
    ...(group !== null && { group }),
    priority,
    createdAt,
    ...(startedAt !== null && { startedAt }),
    finishedAt,
  };
}
