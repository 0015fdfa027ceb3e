import { Packr, Unpackr } from 'msgpackr';
import { ScriptdError } from '../../errors.js';
import type { CancelRecord, Retry, TaskState, TaskView } from '../../task.js';
import type { Outcome } from '../../verdict.js';
import { shownTarget } from '../../webhook.js';
import type { Filtered } from '../filter.js';
import type { HistoryRecord, IndexRecord } from '../port.js';
import { readTaskId, writeTaskId } from './keys.js';
import { tuple } from './tuple.js';
import { viewTuple } from './views.js';

/**
 * Values: MessagePack. What there is a million of is written as tuples. (lmdb-js's own shared
 * structures would be as small, but a new one is stored by a transaction on the event loop.)
 */

const packr = new Packr({ useRecords: false, variableMapSize: true });
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, copyBuffers: true });

export function encode(value: unknown): Buffer {
  return packr.pack(value);
}

/**
 * @param end of the value in `bytes`; not a number: that of `bytes`
 * @throws ScriptdError STORE_CORRUPT
 */
export function decode<T>(bytes: Buffer, end?: unknown, start = 0): T {
  try {
    const range = { start, end: typeof end === 'number' ? end : bytes.length };
    return unpackr.unpack(bytes, range) as T;
  } catch (cause) {
    throw new ScriptdError('STORE_CORRUPT', 'a record of the store cannot be decoded', { cause });
  }
}

/** How the values of one database are written. lmdb-js reads into a buffer that it uses again. */
export interface ValueEncoder<T> {
  encode(value: T): Buffer;
  /** @param end of the value in `bytes`; anything else than a number: `bytes.length` says it */
  decode(bytes: Buffer, end?: unknown): T;
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

export const heads: ValueEncoder<Head> = {
  encode: ({ sequence, view }) => encode([sequence, viewTuple.pack(view)]),
  decode(bytes, end) {
    const [sequence, values] = decode<[number, unknown[]]>(bytes, end);
    const view = viewTuple.unpack(values) as TaskView;
    if (view.webhook) view.webhook = shownTarget(view.webhook);
    return { sequence, view };
  },
};

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
  tags: string[] | undefined;
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
  resultBytes: number | undefined;
  score: number | undefined;
}

const asIs = undefined;
const rowTuple = tuple({
  type: asIs,
  priority: asIs,
  createdAt: asIs,
  wallMs: asIs,
  bytes: asIs,
  attempt: asIs,
  attemptsBefore: asIs,
  workerDeaths: asIs,
  worker: asIs,
  startedAt: asIs,
  finishedAt: asIs,
  resultBytes: asIs,
  outcome: asIs,
  group: asIs,
  tags: asIs,
  retry: asIs,
  runAt: asIs,
  expiresAt: asIs,
  nextAttemptAt: asIs,
  cancel: asIs,
  deadLetter: asIs,
  score: asIs,
});

/** The 16 bytes of the id, then the tuple. */
export const rows: ValueEncoder<Row> = {
  encode(row) {
    const body = encode(rowTuple.pack(row));
    const bytes = Buffer.allocUnsafe(16 + body.length);
    body.copy(bytes, writeTaskId(row.id, bytes, 0));
    return bytes;
  },
  decode(bytes, end) {
    // By hand, not by the tuple: a million of them are read at start.
    const fields = decode<RowFields>(bytes, end, 16);
    return {
      id: readTaskId(bytes, 0),
      type: fields[0],
      priority: fields[1],
      createdAt: fields[2],
      wallMs: fields[3],
      bytes: fields[4],
      attempt: fields[5],
      attemptsBefore: fields[6],
      workerDeaths: fields[7],
      worker: fields[8] ?? undefined,
      startedAt: fields[9] ?? undefined,
      finishedAt: fields[10] ?? undefined,
      resultBytes: fields[11] ?? undefined,
      outcome: fields[12] ?? undefined,
      group: fields[13] ?? undefined,
      tags: fields[14] ?? undefined,
      retry: fields[15] ?? undefined,
      runAt: fields[16] ?? undefined,
      expiresAt: fields[17] ?? undefined,
      nextAttemptAt: fields[18] ?? undefined,
      cancel: fields[19] ?? undefined,
      deadLetter: fields[20] ?? undefined,
      score: fields[21] ?? undefined,
    };
  },
};

type Absent = null | undefined;
type RowFields = [
  type: string,
  priority: number,
  createdAt: number,
  wallMs: number,
  bytes: number,
  attempt: number,
  attemptsBefore: number,
  workerDeaths: number,
  worker: string | Absent,
  startedAt: number | Absent,
  finishedAt: number | Absent,
  resultBytes: number | Absent,
  outcome: Outcome | Absent,
  group: string | Absent,
  tags: string[] | Absent,
  retry: Retry | Absent,
  runAt: number | Absent,
  expiresAt: number | Absent,
  nextAttemptAt: number | Absent,
  cancel: CancelRecord | Absent,
  deadLetter: true | Absent,
  score: number | Absent,
];

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

export const idempotencyRecords: ValueEncoder<IdempotencyRecord> = {
  encode: ({ taskId, at }) => encode([taskId, at]),
  decode(bytes, end) {
    const [taskId, at] = decode<[string, number]>(bytes, end);
    return { taskId, at };
  },
};

const endingTuple = tuple({
  id: asIs,
  type: asIs,
  priority: asIs,
  createdAt: asIs,
  finishedAt: asIs,
  startedAt: asIs,
  group: asIs,
});

/** What history tells of a finished task. */
export const endings: ValueEncoder<HistoryRecord> = {
  encode: (record) => encode(endingTuple.pack(record)),
  decode: (bytes, end) => endingTuple.unpack(decode<unknown[]>(bytes, end)) as HistoryRecord,
};

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
  if (row.score !== undefined) record.score = row.score;
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
  const { type, outcome, group, tags = [], deadLetter } = row;
  return { state, type, outcome, group, tags, deadLetter };
}
