import { type Static, type TObject, type TProperties, Type } from 'typebox';
import { Family } from '../figures.js';
import { IsolationReport } from '../isolation.js';
import { limits } from '../limits.js';
import {
  ScheduleId,
  ScheduleSpec,
  ScheduleSummary,
  ScheduleView,
  scheduleLimits,
} from '../schedule.js';
import { Bytes, MapOf, OneOf, type Validator, validator } from '../schema.js';
import {
  AttemptKey,
  AttemptNumber,
  Check,
  Collect,
  Limits,
  networks,
  Result,
  TaskFile,
  TaskId,
  TaskSpec,
  TaskView,
  TypeName,
  taskStates,
} from '../task.js';
import { TaskCursor } from '../task-cursor.js';
import { outcomes } from '../verdict.js';
import { Vitals } from '../vitals.js';
import { Delivery, WebhookTarget } from '../webhook.js';
import {
  AbsentWorker,
  ExplanationShape,
  historySamplesMax,
  PartId,
  PartVitals,
  partsShownMax,
  QueueOverview,
  QueueReport,
  Sample,
  WorkerReport,
  workersReportedMax,
} from './reports.js';

/** Every message of docs/PROTOCOL.md, its schema, and who may send it where. */

/** Raised with every incompatible change of this file. */
export const protocolVersion = 6;

export const roles = ['controller', 'worker', 'http'] as const;
export type Role = (typeof roles)[number];

/** What a connection is for. A worker has one of each of the first two with its controller. */
export const channels = ['receiver', 'emitter', 'client'] as const;
export type Channel = (typeof channels)[number];

function message<Kind extends string, P extends TProperties>(kind: Kind, properties: P) {
  return Type.Object({ kind: Type.Literal(kind), ...properties }, { additionalProperties: false });
}

/** Chosen by whoever asks, unique on its connection while unanswered. */
const RequestId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const AttemptKeys = Type.Array(AttemptKey, { maxItems: 65_536 });
const Proof = Bytes(32, 32);
const SafeCount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Chosen by the controller, unique on its connection until the follow is spent. */
const FollowId = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const ByteOffset = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** What came of an output; empty when nothing did. */
const LiveBytes = Bytes(0, limits.liveBytesMax);
/** What only those who made it can read; where a list goes on. */
export const Cursor = Type.String({ minLength: 1, maxLength: 256 });

/** Most tasks in one page of a list. */
export const pageTasksMax = 200;

export const schemas = {
  hello: message('hello', {
    protocol: Type.Integer({ minimum: 0 }),
    role: OneOf(roles),
    channel: OneOf(channels),
    /** Name of the part: unique among its kind. */
    id: PartId,
    /** Tells one process of that name from the next. */
    instance: PartId,
    nonce: Bytes(32, 32),
    /** Only in the acceptor's hello. */
    proof: Type.Optional(Proof),
  }),
  proof: message('proof', { proof: Proof }),
  ping: message('ping', { sequence: Type.Integer({ minimum: 0 }) }),
  pong: message('pong', { sequence: Type.Integer({ minimum: 0 }) }),

  inventory: message('inventory', {
    type: TypeName,
    slots: Type.Integer({ minimum: 1, maximum: 4096 }),
    /** Attempts that it takes beyond its slots, so that none of them waits for the wire. */
    prefetch: Type.Integer({ minimum: 0, maximum: 8192 }),
    pid: Type.Integer({ minimum: 1 }),
    isolation: IsolationReport,
    running: AttemptKeys,
    unacknowledged: AttemptKeys,
  }),
  execute: message('execute', {
    taskId: TaskId,
    attempt: AttemptNumber,
    code: Type.String({ maxLength: limits.codeBytesMax }),
    args: Type.Optional(Type.Array(Type.String())),
    stdin: Type.Optional(Bytes(0, limits.stdinBytesMax)),
    env: Type.Optional(MapOf(Type.String())),
    files: Type.Optional(Type.Array(TaskFile, { maxItems: limits.filesMax })),
    collect: Type.Optional(Collect),
    limits: Limits,
    /** Absent: none. */
    network: Type.Optional(OneOf(networks)),
    inspect: Type.Optional(Type.Boolean()),
    check: Type.Optional(Check),
  }),
  /** Answered by its result, or by `recalled` when it is not there. */
  cancel: message('cancel', {
    taskId: TaskId,
    attempt: AttemptNumber,
    /** `deadline`: it ran past its wall limit and its worker had not said so. */
    cause: OneOf(['caller', 'client_gone', 'shutdown', 'deadline', 'stale']),
  }),
  /** Hand the attempt back, unless it has begun. */
  recall: message('recall', { taskId: TaskId, attempt: AttemptNumber }),
  /** Tell once what this attempt has put out from these bytes on, as soon as there is something. */
  follow: message('follow', {
    followId: FollowId,
    taskId: TaskId,
    attempt: AttemptNumber,
    stdoutOffset: ByteOffset,
    stderrOffset: ByteOffset,
  }),
  unfollow: message('unfollow', { followId: FollowId }),
  drain: message('drain', {}),
  /** The worker that joins is not taken in. */
  unwelcome: message('unwelcome', {
    code: OneOf(['NAME_TAKEN', 'UNKNOWN_TYPE', 'TOO_MANY_WORKERS']),
    reason: Type.String({ maxLength: 4096 }),
  }),
  /** It was told to end by somebody else than the controller: it takes nothing more. */
  draining: message('draining', {}),
  started: message('started', { taskId: TaskId, attempt: AttemptNumber }),
  /** How the worker's process does, since it began. Sent every `vitalsMs`. */
  vitals: message('vitals', {
    vitals: Vitals,
    /** Processes that wait for a task at this moment. */
    ready: SafeCount,
    /** Scripts that found one, and that had theirs started for them. */
    warmStarts: SafeCount,
    coldStarts: SafeCount,
  }),
  /** It has not begun here, and will not. */
  recalled: message('recalled', { taskId: TaskId, attempt: AttemptNumber }),
  result: message('result', {
    taskId: TaskId,
    attempt: AttemptNumber,
    result: Result,
  }),
  acknowledge: message('acknowledge', { results: AttemptKeys }),
  /** From the offsets of its follow on, which is spent with it. */
  output: message('output', { followId: FollowId, stdout: LiveBytes, stderr: LiveBytes }),

  submit: message('submit', {
    requestId: RequestId,
    /** `stored`: answered once the task is durable. `finished`: answered when it is finished. */
    reply: OneOf(['stored', 'finished']),
    task: TaskSpec,
  }),
  get: message('get', { requestId: RequestId, taskId: TaskId }),
  watch: message('watch', { requestId: RequestId, taskId: TaskId }),
  /** Tell what comes of the task after this, once, as soon as there is something. */
  followTask: message('followTask', {
    requestId: RequestId,
    taskId: TaskId,
    cursor: TaskCursor,
  }),
  /** Takes back a watch or a followTask; of a submit with reply `finished`, cancels the task too. */
  forget: message('forget', { requestId: RequestId }),
  cancelTask: message('cancelTask', { requestId: RequestId, taskId: TaskId }),
  status: message('status', { requestId: RequestId }),
  list: message('list', {
    requestId: RequestId,
    state: Type.Optional(OneOf(taskStates)),
    type: Type.Optional(TypeName),
    outcome: Type.Optional(OneOf(outcomes)),
    group: Type.Optional(Type.String({ minLength: 1, maxLength: limits.tagBytesMax })),
    tag: Type.Optional(Type.String({ minLength: 1, maxLength: limits.tagBytesMax })),
    deadLetter: Type.Optional(Type.Literal(true)),
    /** Stands in its id, group, tags, worker, code, reason or script, in large or small letters. */
    text: Type.Optional(Type.String({ minLength: 1, maxLength: limits.tagBytesMax })),
    cursor: Type.Optional(Cursor),
    limit: Type.Integer({ minimum: 1, maximum: pageTasksMax }),
  }),
  /** What was asked for. */
  getSpec: message('getSpec', { requestId: RequestId, taskId: TaskId }),
  explain: message('explain', { requestId: RequestId, taskId: TaskId }),
  /** A finished task is to be sent again, as the same task. */
  retryTask: message('retryTask', { requestId: RequestId, taskId: TaskId }),
  getDelivery: message('getDelivery', { requestId: RequestId, taskId: TaskId }),
  /** Its webhook is to be told again. */
  redeliver: message('redeliver', { requestId: RequestId, taskId: TaskId }),
  queues: message('queues', { requestId: RequestId }),
  pauseQueue: message('pauseQueue', { requestId: RequestId, type: TypeName }),
  resumeQueue: message('resumeQueue', { requestId: RequestId, type: TypeName }),
  listSchedules: message('listSchedules', { requestId: RequestId }),
  getSchedule: message('getSchedule', { requestId: RequestId, scheduleId: ScheduleId }),
  putSchedule: message('putSchedule', {
    requestId: RequestId,
    /** `create`: refused when there is one with its id. `put`: it takes that one's place. */
    how: OneOf(['create', 'put']),
    schedule: ScheduleSpec,
  }),
  /** All else of it stays, also what is shown to nobody. */
  setScheduleEnabled: message('setScheduleEnabled', {
    requestId: RequestId,
    scheduleId: ScheduleId,
    enabled: Type.Boolean(),
  }),
  deleteSchedule: message('deleteSchedule', { requestId: RequestId, scheduleId: ScheduleId }),
  measure: message('measure', { requestId: RequestId }),
  overview: message('overview', { requestId: RequestId }),
  history: message('history', { requestId: RequestId }),
  /** The worker is to finish what it has, and to end. */
  drainWorker: message('drainWorker', { requestId: RequestId, workerId: PartId }),

  task: message('task', {
    requestId: RequestId,
    task: TaskView,
    /** Only of a submit: its idempotency key stands for this task, which was there before. */
    replayed: Type.Optional(Type.Literal(true)),
  }),
  progress: message('progress', {
    requestId: RequestId,
    /** The task without bulk, when its state has moved past the cursor. */
    task: Type.Optional(TaskView),
    /** Else what its attempt has put out from the cursor's offsets on. */
    output: Type.Optional(
      Type.Object({ stdout: LiveBytes, stderr: LiveBytes }, { additionalProperties: false }),
    ),
  }),
  page: message('page', {
    requestId: RequestId,
    /** Without stdout, stderr, files and exception. */
    tasks: Type.Array(TaskView, { maxItems: pageTasksMax }),
    next: Type.Optional(Cursor),
  }),
  spec: message('spec', {
    requestId: RequestId,
    /** Without stdout, stderr, files and exception. */
    task: TaskView,
    spec: TaskSpec,
  }),
  explanation: message('explanation', {
    requestId: RequestId,
    taskId: TaskId,
    state: OneOf(taskStates),
    explanation: ExplanationShape,
  }),
  delivery: message('delivery', {
    requestId: RequestId,
    taskId: TaskId,
    origin: WebhookTarget.properties.origin,
    /** Absent as long as the task is not finished. */
    delivery: Type.Optional(Delivery),
  }),
  queueReports: message('queueReports', {
    requestId: RequestId,
    queues: Type.Array(QueueReport, { maxItems: 65_536 }),
  }),
  schedules: message('schedules', {
    requestId: RequestId,
    schedules: Type.Array(ScheduleSummary, { maxItems: scheduleLimits.schedulesMax }),
  }),
  schedule: message('schedule', {
    requestId: RequestId,
    schedule: ScheduleView,
    /** Only of a putSchedule: there was none with its id before. */
    created: Type.Optional(Type.Boolean()),
  }),
  /** What `/metrics` shows of the controller and of its workers. */
  figures: message('figures', {
    requestId: RequestId,
    families: Type.Array(Family, { maxItems: 256 }),
    /** Of the controller, and of at most `partsShownMax` workers. */
    parts: Type.Array(PartVitals, { maxItems: partsShownMax + 1 }),
  }),
  /** How the service stands, for whoever looks after it. */
  overviewReport: message('overviewReport', {
    requestId: RequestId,
    /** When it was so. Milliseconds since 1970-01-01 UTC. */
    at: Type.Number({ minimum: 0 }),
    ready: Type.Boolean(),
    draining: Type.Boolean(),
    missing: Type.Array(Type.String()),
    queues: Type.Array(QueueOverview, { maxItems: 65_536 }),
    /** At most `partsShownMax`. */
    workers: Type.Array(WorkerReport, { maxItems: partsShownMax }),
    workersMore: Type.Optional(Type.Literal(true)),
    /** At most `partsShownMax`, those first that have been it for longest. */
    absent: Type.Array(AbsentWorker, { maxItems: partsShownMax }),
    /** Absent when the store could not say. */
    deadLetters: Type.Optional(SafeCount),
    deadLettersMore: Type.Optional(Type.Literal(true)),
    /** The last sample of the history, and the `at` of the one before. */
    newest: Type.Optional(Sample),
    newestAfter: Type.Optional(Type.Number({ minimum: 0 })),
  }),
  /** The last hour, oldest first. */
  samples: message('samples', {
    requestId: RequestId,
    stepMs: Type.Integer({ minimum: 1 }),
    samples: Type.Array(Sample, { maxItems: historySamplesMax }),
  }),
  worker: message('worker', { requestId: RequestId, worker: WorkerReport }),
  /** There is nothing more to say. */
  done: message('done', { requestId: RequestId }),
  refused: message('refused', {
    requestId: RequestId,
    /** Stable, e.g. UNKNOWN_TYPE. docs/ERRORS.md lists them. */
    code: Type.String({ maxLength: 64 }),
    message: Type.String({ maxLength: 4096 }),
    field: Type.Optional(Type.String({ maxLength: 128 })),
    /** When asking again may help. */
    retryAfterMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 24 * 60 * 60 * 1000 })),
  }),
  report: message('report', {
    requestId: RequestId,
    ready: Type.Boolean(),
    draining: Type.Boolean(),
    /** One sentence each on what keeps the service from being ready. */
    missing: Type.Array(Type.String()),
    pending: Type.Integer({ minimum: 0 }),
    running: Type.Integer({ minimum: 0 }),
    /** At most `workersReportedMax`. */
    workers: Type.Array(WorkerReport, { maxItems: workersReportedMax }),
    workersMore: Type.Optional(Type.Literal(true)),
  }),
} satisfies Record<string, TObject>;

export type MessageKind = keyof typeof schemas;
export type MessageOf<Kind extends MessageKind> = Static<(typeof schemas)[Kind]>;
/** Why a worker that joins is not taken in. */
export type Unwelcome = Omit<MessageOf<'unwelcome'>, 'kind'>;
export type Message = { [Kind in MessageKind]: MessageOf<Kind> }[MessageKind];

const validators = new Map<unknown, Validator<unknown>>(
  Object.entries(schemas).map(([kind, schema]) => [kind, validator(schema)]),
);

/** Why a decoded value is not a message, as a sentence that names the field; undefined if it is. */
export function messageMisfit(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return 'a message must be a map';
  }
  const kind = 'kind' in value ? value.kind : undefined;
  const check = validators.get(kind);
  if (!check) {
    // Of what is no text only the type: a 64-bit integer, for one, has no JSON.
    const shown = typeof kind === 'string' ? JSON.stringify(kind.slice(0, 64)) : typeof kind;
    return `\`kind\` is not of a known message: ${shown}`;
  }
  if (check.fits(value)) return undefined;
  return `${String(kind)}: ${check.misfit(value)?.message ?? 'not valid'}`;
}

/** What each side may receive once the handshake is done; anything else closes the connection. */
const pings: readonly MessageKind[] = ['ping', 'pong'];
const receivable: Record<Channel, Partial<Record<Role, ReadonlySet<MessageKind>>>> = {
  receiver: {
    worker: new Set<MessageKind>([
      ...pings,
      'execute',
      'cancel',
      'recall',
      'follow',
      'unfollow',
      'drain',
      'unwelcome',
    ]),
    controller: new Set<MessageKind>(pings),
  },
  emitter: {
    worker: new Set<MessageKind>([...pings, 'acknowledge', 'unwelcome']),
    controller: new Set<MessageKind>([
      ...pings,
      'inventory',
      'draining',
      'started',
      'recalled',
      'result',
      'output',
      'vitals',
    ]),
  },
  client: {
    controller: new Set<MessageKind>([
      ...pings,
      'submit',
      'get',
      'watch',
      'followTask',
      'forget',
      'cancelTask',
      'status',
      'list',
      'getSpec',
      'explain',
      'retryTask',
      'getDelivery',
      'redeliver',
      'queues',
      'pauseQueue',
      'resumeQueue',
      'listSchedules',
      'getSchedule',
      'putSchedule',
      'setScheduleEnabled',
      'deleteSchedule',
      'measure',
      'overview',
      'history',
      'drainWorker',
    ]),
    http: new Set<MessageKind>([
      ...pings,
      'task',
      'refused',
      'progress',
      'report',
      'page',
      'spec',
      'explanation',
      'delivery',
      'queueReports',
      'schedules',
      'schedule',
      'done',
      'figures',
      'overviewReport',
      'samples',
      'worker',
    ]),
  },
};

/** True when a part of role `local` may receive this kind on a channel of that sort. */
export function mayReceive(local: Role, channel: Channel, kind: MessageKind): boolean {
  return receivable[channel][local]?.has(kind) ?? false;
}

/** True when a part of role `peer` belongs at the far end of such a channel of `local`'s. */
export function mayConverse(local: Role, channel: Channel, peer: Role): boolean {
  return (
    local !== peer &&
    receivable[channel][local] !== undefined &&
    receivable[channel][peer] !== undefined
  );
}
