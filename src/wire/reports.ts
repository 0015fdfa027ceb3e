import { type Static, Type } from 'typebox';
import { IsolationReport } from '../isolation.js';
import { limits } from '../limits.js';
import { MapOf, OneOf } from '../schema.js';
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

/** Most workers in one report: it fits into a frame, however many layers they say they have. */
export const workersReportedMax = 4_096;

/** Of the history: how long one sample is, how many there are, and of how many types. */
export const historyStepMs = 10_000;
export const historySamplesMax = 360;
export const historyTypesMax = 64;
/** Ends of minutes of which an overview tells how many tasks were ready. */
export const minutesShownMax = 6;

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
    /** How long the task whose turn it is has been ready; absent when none is. */
    oldestMs: Type.Optional(Milliseconds),
  },
  { additionalProperties: false },
);
export type QueueReport = Static<typeof QueueReport>;

/** The same, with what somebody who looks after it has to know. */
export const QueueOverview = Type.Object(
  {
    ...QueueReport.properties,
    /** There should be a worker of the type, and none is connected. */
    lacksWorker: Type.Optional(Type.Literal(true)),
    /** Tasks that were ready at the ends of the last minutes, the oldest first. */
    readyPerMinute: Type.Array(Count, { maxItems: minutesShownMax }),
  },
  { additionalProperties: false },
);
export type QueueOverview = Static<typeof QueueOverview>;

/** Warm processes of a worker. */
export const PoolReport = Type.Object(
  {
    /** Wait for a task. */
    prepared: Count,
    /** Scripts that found one, and that had theirs started for them, since its process began. */
    warmStarts: Count,
    coldStarts: Count,
  },
  { additionalProperties: false },
);

/** A worker that is connected. Times in milliseconds since 1970-01-01 UTC. */
export const WorkerReport = Type.Object(
  {
    id: PartId,
    type: TypeName,
    slots: Type.Integer({ minimum: 1 }),
    busy: Type.Integer({ minimum: 0 }),
    pid: Type.Integer({ minimum: 1 }),
    isolation: IsolationReport,
    /** It takes nothing more, and ends. */
    draining: Type.Boolean(),
    /** When the last byte of it came, those of a `pong` included. */
    heardAt: Milliseconds,
    connectedAt: Milliseconds,
    /** As its `vitals` had it last; absent before the first. */
    pool: Type.Optional(PoolReport),
  },
  { additionalProperties: false },
);
export type WorkerReport = Static<typeof WorkerReport>;

/** A worker that should be connected and is not: nobody answers at its place, or it is waited for. */
export const AbsentWorker = Type.Object(
  { id: PartId, type: TypeName, absentMs: Milliseconds },
  { additionalProperties: false },
);
export type AbsentWorker = Static<typeof AbsentWorker>;

/** What went on of one type in a step of the history. */
export const TypeSample = Type.Object(
  {
    type: TypeName,
    /** At its end. */
    ready: Count,
    waiting: Count,
    running: Count,
    slots: Count,
    /** In it: tasks that were taken, and that ended, by outcome. */
    submitted: Count,
    finished: MapOf(Count, { namesMax: 64 }),
    /** Of the attempts that were handed out in it: how long they had waited. 0 when there was none. */
    queuedMsMax: Milliseconds,
    queuedMsMean: Milliseconds,
  },
  { additionalProperties: false },
);
export type TypeSample = Static<typeof TypeSample>;

/** One step of the history. `at`: its end, milliseconds since 1970-01-01 UTC. */
export const Sample = Type.Object(
  { at: Milliseconds, types: Type.Array(TypeSample, { maxItems: historyTypesMax }) },
  { additionalProperties: false },
);
export type Sample = Static<typeof Sample>;

/** What an overview says to be missing of a type; who shows it need not say it twice. */
export function lacksWorkerText(type: string): string {
  return `no ${type} worker is connected`;
}

export const drainingText = 'the controller is draining';

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
