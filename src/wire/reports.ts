import { type Static, Type } from 'typebox';
import { IsolationReport } from '../isolation.js';
import { limits } from '../limits.js';
import { OneOf } from '../schema.js';
import { TypeName } from '../task.js';
import { outcomes } from '../verdict.js';
import { Vitals } from '../vitals.js';

/** What the controller tells of tasks, queues, workers and processes: parts of its answers. */

const Count = Type.Integer({ minimum: 0 });
const Milliseconds = Type.Number({ minimum: 0 });
/** Name of a part: unique among its kind. */
export const PartId = Type.String({ minLength: 1, maxLength: 128 });

/** Most workers that figures are given of one by one: each makes dozens of series. */
export const partsShownMax = 256;

/** Why a task is where it is. The scheduler's reasons, and two that it does not know of. */
export const explanationReasons = [
  'waits_for_run_at',
  'waits_for_retry',
  'retry_rate',
  'paused',
  'draining',
  'recovering',
  'no_worker',
  'workers_draining',
  'fair_share',
  'busy',
  'prefetched',
  'worker_away',
  'stopping',
  'running',
  /** It is on its way into the store, or its end is. */
  'storing',
  'finished',
] as const;

/** Durations from now on, or until now. */
export const ExplanationShape = Type.Object(
  {
    reason: OneOf(explanationReasons),
    /** One or two sentences for people. */
    text: Type.String({ maxLength: 8192 }),
    inMs: Type.Optional(Milliseconds),
    forMs: Type.Optional(Milliseconds),
    attempt: Type.Optional(Count),
    /** A task code: of the attempt before, or of the end. */
    code: Type.Optional(Type.String({ maxLength: 64 })),
    outcome: Type.Optional(OneOf(outcomes)),
    type: Type.Optional(TypeName),
    worker: Type.Optional(PartId),
    workers: Type.Optional(Count),
    group: Type.Optional(Type.String({ maxLength: limits.tagBytesMax })),
    groupsAhead: Type.Optional(Count),
    ahead: Type.Optional(Count),
    slots: Type.Optional(Count),
    cause: Type.Optional(OneOf(['caller', 'client_gone', 'shutdown', 'deadline'])),
  },
  { additionalProperties: false },
);

export type ExplanationShape = Static<typeof ExplanationShape>;

/** The tasks of one type, in numbers. */
export const QueueReport = Type.Object(
  {
    type: TypeName,
    paused: Type.Boolean(),
    ready: Count,
    waiting: Count,
    running: Count,
    workers: Count,
    slots: Count,
  },
  { additionalProperties: false },
);
export type QueueReport = Static<typeof QueueReport>;

/** A worker that is connected. */
export const WorkerReport = Type.Object(
  {
    id: PartId,
    type: TypeName,
    slots: Type.Integer({ minimum: 1 }),
    busy: Type.Integer({ minimum: 0 }),
    pid: Type.Integer({ minimum: 1 }),
    isolation: IsolationReport,
  },
  { additionalProperties: false },
);
export type WorkerReport = Static<typeof WorkerReport>;

/** How one process of the service does. */
export const PartVitals = Type.Object(
  {
    part: OneOf(['controller', 'worker']),
    name: PartId,
    /** Of a worker. */
    type: Type.Optional(TypeName),
    vitals: Vitals,
  },
  { additionalProperties: false },
);
