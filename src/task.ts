import { type Static, Type } from 'typebox';
import { limits as maxima } from './limits.js';
import { Bytes, MapOf, OneOf } from './schema.js';
import { networks, taskStates } from './task-words.js';
import { codes, outcomes } from './verdict.js';
import { Webhook, WebhookTarget } from './webhook.js';

export { type Network, networks, type TaskState, taskStates } from './task-words.js';

/**
 * The shapes that every part speaks of: what a caller asks for, what an attempt brought, and the
 * task as it stands. Schemas first; the types are taken from them.
 */

const closed = { additionalProperties: false } as const;
const milliseconds = (extra: object = {}) => Type.Number({ minimum: 0, ...extra });
const count = (maximum: number) => Type.Integer({ minimum: 1, maximum });
/** A time as RFC 3339 text is made of at the edge: milliseconds since 1970-01-01 UTC. */
const time = () => Type.Number({ minimum: 0 });

export const TypeName = Type.String({ pattern: '^[a-z][a-z0-9_-]{0,31}$' });
export const TaskId = Type.String({ minLength: 36, maxLength: 36, pattern: '^[0-9a-f-]{36}$' });
/** Number of the attempt, from 1. */
export const AttemptNumber = Type.Integer({ minimum: 1, maximum: maxima.attemptMax });

/** What a script may use. Every one is enforced by the worker that runs it. */
export const Limits = Type.Object(
  {
    /** Real time from start to end. */
    wallMs: count(maxima.wallMsMax),
    /** Processor time, rounded up to whole seconds (RLIMIT_CPU). */
    cpuMs: count(maxima.wallMsMax),
    /**
     * Memory of all its processes and its files in memory together, where a cgroup counts it; else
     * address space of each process (RLIMIT_AS), and only when asked for.
     */
    memoryBytes: Type.Optional(
      Type.Integer({ minimum: 1024 * 1024, maximum: maxima.memoryBytesMax }),
    ),
    /** Kept of stdout and of stderr, each; more ends the script. */
    outputBytes: count(maxima.outputBytesMax),
    /** Of each place that it may write to, and of the largest file (RLIMIT_FSIZE). */
    diskBytes: Type.Integer({ minimum: 0, maximum: maxima.diskBytesMax }),
    /** Files and folders in each place that it may write to; at isolation strict. */
    files: Type.Optional(count(1_048_576)),
    /** Descriptors open at once in one process (RLIMIT_NOFILE). */
    openFiles: Type.Integer({ minimum: 3, maximum: 1_048_576 }),
    /**
     * Processes and threads at once, where a cgroup counts them; else of the user that it runs as
     * (RLIMIT_NPROC; the kernel does not hold root to it).
     */
    processes: count(1_048_576),
  },
  closed,
);
export type Limits = Static<typeof Limits>;

export const LimitsAsked = Type.Partial(Limits, closed);
export type LimitsAsked = Static<typeof LimitsAsked>;

/** `allowed`: what the runtime allows. For who does not know the runtimes; callers can't say it. */
const networksAsked = [...networks, 'allowed'] as const;

/** A file that a script is given or hands back. */
export const TaskFile = Type.Object(
  {
    /** Below the work directory, e.g. `data/in.json`; file-names.ts says what it may be. */
    name: Type.String({ minLength: 1, maxLength: maxima.fileNameBytesMax }),
    content: Bytes(0, maxima.filesBytesMax),
  },
  closed,
);
export type TaskFile = Static<typeof TaskFile>;
const TaskFiles = Type.Array(TaskFile, { maxItems: maxima.filesMax });

/** Patterns of the files to hand back: `*`, `?` and `**` as in a shell. */
export const Collect = Type.Array(
  Type.String({ minLength: 1, maxLength: maxima.fileNameBytesMax }),
  { maxItems: maxima.collectMax },
);

/** How a task is tried again. What is left out, its runtime's policy says, or the built-in one. */
export const Retry = Type.Object(
  {
    /** The first attempt included. */
    maxAttempts: Type.Optional(count(maxima.attemptsMax)),
    /** Outcomes that are tried again, beside network_fail and internal_fail. */
    on: Type.Optional(Type.Array(OneOf(['runtime_error', 'format_error']), { maxItems: 2 })),
    /** Longest wait before the second attempt; doubled for each further one, then drawn at random. */
    baseMs: Type.Optional(count(maxima.wallMsMax)),
    /** Where the doubling ends. */
    capMs: Type.Optional(count(maxima.wallMsMax)),
  },
  closed,
);
export type Retry = Static<typeof Retry>;

/**
 * What the stdout of a script that succeeded has to be: one of `schema`, `pattern`, `exact` and
 * `script`, which checker/fault.ts sees to.
 */
export const Check = Type.Object(
  {
    /** A JSON Schema, draft 2020-12; stdout must be JSON. */
    schema: Type.Optional(Type.Unsafe<Record<string, unknown>>({ type: 'object' })),
    /** An ECMAScript regular expression that must match somewhere. */
    pattern: Type.Optional(Type.String({ maxLength: maxima.checkPatternCharactersMax })),
    /** Of `pattern`. */
    flags: Type.Optional(Type.String({ pattern: '^[imsuv]{0,5}$' })),
    exact: Type.Optional(Type.String({ maxLength: maxima.checkBytesMax })),
    /** Of `exact`: white space at both ends, of both, does not count. */
    trim: Type.Optional(Type.Boolean()),
    /** Runs like the task itself, with its stdout on stdin; exit code 0 accepts it. */
    script: Type.Optional(
      Type.Object(
        {
          code: Type.String({ minLength: 1, maxLength: maxima.checkBytesMax }),
          args: Type.Optional(
            Type.Array(Type.String({ maxLength: maxima.argBytesMax }), {
              maxItems: maxima.checkArgsMax,
            }),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type Check = Static<typeof Check>;

const FormatText = Type.String({ maxLength: maxima.formatCharactersMax });

/** Why a check refused an output. */
export const FormatFault = Type.Object(
  {
    expected: FormatText,
    /** A JSON pointer (RFC 6901), or `line 3, column 7`; absent where no one place is to blame. */
    at: Type.Optional(FormatText),
    got: FormatText,
  },
  closed,
);
export type FormatFault = Static<typeof FormatFault>;

const traceparentPattern = '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$';

/** What a caller asks for, after the HTTP daemon has read and checked it. */
export const TaskSpec = Type.Object(
  {
    code: Type.String({ maxLength: maxima.codeBytesMax }),
    type: Type.Optional(TypeName),
    args: Type.Optional(
      Type.Array(Type.String({ maxLength: maxima.argBytesMax }), { maxItems: maxima.argsMax }),
    ),
    stdin: Type.Optional(Bytes(0, maxima.stdinBytesMax)),
    env: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' }),
        Type.String({ maxLength: maxima.envValueBytesMax }),
        { maxProperties: maxima.envMax, ...closed },
      ),
    ),
    /** Beside the script, in its work directory. */
    files: Type.Optional(TaskFiles),
    collect: Type.Optional(Collect),
    limits: Type.Optional(LimitsAsked),
    /** `host` only where the runtime allows it. Default none. */
    network: Type.Optional(OneOf(networksAsked)),
    /** Local variables in the report of an uncaught exception, for runtimes that can. */
    inspect: Type.Optional(Type.Boolean()),
    priority: Type.Optional(Type.Integer({ minimum: -100, maximum: 100 })),
    retry: Type.Optional(Retry),
    /** What its output has to be; instead of its runtime's check. */
    check: Type.Optional(Check),
    /** Not before so long has passed since the submission. */
    delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: maxima.delayMsMax })),
    /** Not before this time; instead of `delayMs`. */
    runAt: Type.Optional(time()),
    /** If it has not begun by then, counted from the submission, it expires. */
    expiresAfterMs: Type.Optional(count(maxima.delayMsMax)),
    /** A second submission with the same key returns the first one's task. */
    idempotencyKey: Type.Optional(
      Type.String({ minLength: 1, maxLength: maxima.idempotencyKeyBytesMax }),
    ),
    group: Type.Optional(Type.String({ minLength: 1, maxLength: maxima.tagBytesMax })),
    /** W3C Trace Context, version 00: what its submission is a part of. */
    traceparent: Type.Optional(Type.String({ pattern: traceparentPattern })),
    tracestate: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: maxima.tagBytesMax }), {
        maxItems: maxima.tagsMax,
      }),
    ),
    /** Who is told when it is finished. */
    webhook: Type.Optional(Webhook),
  },
  closed,
);
export type TaskSpec = Static<typeof TaskSpec>;

/** One attempt of one task. The number fences: a result of an older attempt is dropped. */
export const AttemptKey = Type.Object({ taskId: TaskId, attempt: AttemptNumber }, closed);
export type AttemptKey = Static<typeof AttemptKey>;

export const Usage = Type.Object(
  {
    wallMs: milliseconds(),
    cpuMs: milliseconds(),
    memoryPeakBytes: Type.Number({ minimum: 0 }),
    /** Processes and threads at once; only where a cgroup counted them. */
    processesPeak: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  closed,
);
export type Usage = Static<typeof Usage>;

/** One level of the stack when an exception was raised. */
const Frame = Type.Object(
  {
    /** Relative to the work directory where it lies in it. */
    file: Type.String({ maxLength: 4096 }),
    line: Type.Optional(Type.Integer({ minimum: 0 })),
    function: Type.Optional(Type.String({ maxLength: 1024 })),
    /** The line of source. */
    code: Type.Optional(Type.String({ maxLength: 1024 })),
    /** Local variables as text; only when asked for. */
    locals: Type.Optional(
      MapOf(Type.String({ maxLength: maxima.localBytesMax }), {
        maxProperties: maxima.localsMax,
      }),
    ),
  },
  closed,
);

/** An exception that nobody caught. */
export const Exception = Type.Object(
  {
    /** E.g. ZeroDivisionError. Absent when something without a type was thrown. */
    type: Type.Optional(Type.String({ maxLength: 1024 })),
    message: Type.String({ maxLength: maxima.exceptionMessageBytesMax }),
    /** Outermost first; of a deep stack, its beginning and its end. */
    frames: Type.Array(Frame, { maxItems: maxima.exceptionFramesMax }),
    /** What it was raised from. */
    cause: Type.Optional(
      Type.Object(
        {
          type: Type.Optional(Type.String({ maxLength: 1024 })),
          message: Type.String({ maxLength: maxima.exceptionMessageBytesMax }),
        },
        closed,
      ),
    ),
  },
  closed,
);
export type Exception = Static<typeof Exception>;

/** A file that was to be handed back and was not. */
export const NotCollected = Type.Object(
  {
    name: Type.String({ maxLength: 4096 }),
    /** Name of the errno, e.g. ELOOP for a symbolic link, EFBIG past the limit on bytes. */
    code: Type.String({ maxLength: 32 }),
    reason: Type.String({ maxLength: 256 }),
  },
  closed,
);
export type NotCollected = Static<typeof NotCollected>;

const Flags = Type.Object({ stdout: Type.Boolean(), stderr: Type.Boolean() }, closed);

/** How an attempt ended, and everything it left behind. */
export const Result = Type.Object(
  {
    outcome: OneOf(outcomes),
    code: Type.Optional(OneOf(codes)),
    /** One plain sentence. Absent on success. */
    reason: Type.Optional(Type.String({ maxLength: 4096 })),
    exitCode: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
    /** Name of the signal that ended it, e.g. SIGKILL. */
    signal: Type.Optional(Type.String({ maxLength: 16 })),
    stdout: Bytes(0, maxima.outputBytesMax + 2 * maxima.outputTailBytes),
    stderr: Bytes(0, maxima.outputBytesMax + 2 * maxima.outputTailBytes),
    truncated: Flags,
    usage: Type.Optional(Usage),
    exception: Type.Optional(Exception),
    files: Type.Optional(TaskFiles),
    filesNotCollected: Type.Optional(Type.Array(NotCollected, { maxItems: maxima.filesMax })),
    /** Of a format_error. */
    format: Type.Optional(FormatFault),
    /** Phases as the worker measured them; `checkMs` where there was a check. */
    phases: Type.Object(
      {
        startMs: milliseconds(),
        runMs: milliseconds(),
        drainMs: milliseconds(),
        checkMs: Type.Optional(milliseconds()),
      },
      closed,
    ),
  },
  closed,
);
export type Result = Static<typeof Result>;

/** Bytes of what a result is large by. */
export function bulkOf({ stdout, stderr, files, exception }: Partial<Result>): number {
  let bytes = (stdout?.length ?? 0) + (stderr?.length ?? 0);
  for (const { name, content } of files ?? []) bytes += name.length + content.length;
  // Its report had at most so many.
  return exception ? bytes + maxima.exceptionBytesMax : bytes;
}

/** Where the time of a task went. Durations, summed over nothing: of the last attempt. */
export const Timeline = Type.Object(
  {
    queuedMs: milliseconds(),
    dispatchMs: milliseconds(),
    startMs: milliseconds(),
    runMs: milliseconds(),
    drainMs: milliseconds(),
    checkMs: milliseconds(),
  },
  closed,
);
export type Timeline = Static<typeof Timeline>;

/** What is remembered of one attempt. */
export const AttemptRecord = Type.Object(
  {
    attempt: AttemptNumber,
    worker: Type.String({ maxLength: 128 }),
    startedAt: time(),
    finishedAt: Type.Optional(time()),
    outcome: Type.Optional(OneOf(outcomes)),
    code: Type.Optional(OneOf(codes)),
    reason: Type.Optional(Type.String({ maxLength: 4096 })),
  },
  closed,
);
export type AttemptRecord = Static<typeof AttemptRecord>;

/** What became of the wish to cancel a task. */
export const CancelRecord = Type.Object(
  {
    cause: OneOf(['caller', 'client_gone', 'shutdown']),
    requestedAt: time(),
    /** When its worker was told to end it. */
    signalledAt: Type.Optional(time()),
    /** When the worker said that nothing of it was left. */
    goneAt: Type.Optional(time()),
  },
  closed,
);
export type CancelRecord = Static<typeof CancelRecord>;

/** A task as it stands: what `GET /v1/tasks/ID` shows, before JSON. */
export const TaskView = Type.Object(
  {
    id: TaskId,
    type: TypeName,
    state: OneOf(taskStates),
    outcome: Type.Optional(OneOf(outcomes)),
    code: Type.Optional(OneOf(codes)),
    reason: Type.Optional(Type.String({ maxLength: 4096 })),
    priority: Type.Integer(),
    score: Type.Number(),
    group: Type.Optional(Type.String()),
    tags: Type.Array(Type.String()),
    limits: Limits,
    network: OneOf(networks),
    /** Number of the current or last attempt; 0 before the first. */
    attempt: Type.Integer({ minimum: 0, maximum: maxima.attemptMax }),
    attempts: Type.Array(AttemptRecord),
    createdAt: time(),
    /** Not before this time. */
    runAt: Type.Optional(time()),
    /** If it has not begun by then, it expires. */
    expiresAt: Type.Optional(time()),
    /** When it is tried again. */
    nextAttemptAt: Type.Optional(time()),
    startedAt: Type.Optional(time()),
    finishedAt: Type.Optional(time()),
    /** Its attempts are used up by no doing of its own: it can be sent again. */
    deadLetter: Type.Optional(Type.Literal(true)),
    cancel: Type.Optional(CancelRecord),
    timeline: Type.Optional(Timeline),
    exitCode: Type.Optional(Type.Integer()),
    signal: Type.Optional(Type.String()),
    stdout: Type.Optional(Bytes(0, maxima.frameBytesMax)),
    stderr: Type.Optional(Bytes(0, maxima.frameBytesMax)),
    truncated: Type.Optional(Flags),
    usage: Type.Optional(Usage),
    exception: Type.Optional(Exception),
    format: Type.Optional(FormatFault),
    files: Type.Optional(TaskFiles),
    filesNotCollected: Type.Optional(Type.Array(NotCollected, { maxItems: maxima.filesMax })),
    /** Name of the worker that runs or ran it. */
    worker: Type.Optional(Type.String()),
    /** Who is told when it is finished. */
    webhook: Type.Optional(WebhookTarget),
    durability: OneOf(['fsync', 'os', 'memory']),
  },
  closed,
);
export type TaskView = Static<typeof TaskView>;
