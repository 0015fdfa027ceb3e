import { type TSchema, Type } from 'typebox';
import { limits } from '../../limits.js';
import { MapOf } from '../../schema.js';
import {
  AttemptRecord,
  CancelRecord,
  FormatFault,
  NotCollected,
  TaskView,
  Timeline,
  Exception as Uncaught,
  Usage,
} from '../../task.js';
import { WebhookTarget } from '../../webhook.js';
import { closed, described } from './described.js';
import { Reference } from './reference.js';
import { Encoding, Time } from './texts.js';

/** Tasks as task-json.ts writes them. */

export const Attempt = described(
  Type.Object(
    { ...AttemptRecord.properties, startedAt: Time(), finishedAt: Type.Optional(Time()) },
    closed,
  ),
  {
    attempt: 'Its number, from 1.',
    worker: 'Name of the worker.',
    startedAt: 'When it was dispatched.',
    finishedAt: 'When its result was there.',
    outcome: 'How it ended.',
    code: 'What exactly happened. Absent on success.',
    reason: 'One or two sentences: which limit, the value reached, the cure. Absent on success.',
  },
);

const frames = Uncaught.properties.frames.items;

export const Exception = described(
  Type.Object(
    {
      ...Uncaught.properties,
      frames: Type.Array(
        described(frames, {
          file: 'Relative to the work directory where it lies in it.',
          line: 'Line of the file, from 1.',
          function: 'Name of the function.',
          code: 'The line of source.',
          locals: 'Local variables as text; only with `inspect`.',
        }),
        { maxItems: limits.exceptionFramesMax },
      ),
      cause: Type.Optional(
        described(Uncaught.properties.cause, {
          type: 'Its type, if it has one.',
          message: 'Its message.',
        }),
      ),
    },
    closed,
  ),
  {
    type: 'E.g. `ZeroDivisionError`. Absent when something without a type was thrown.',
    message: 'Its message.',
    frames: 'Outermost first; of a deep stack, its beginning and its end.',
    cause: 'What it was raised from.',
  },
);

const Cancel = described(
  Type.Object(
    {
      ...CancelRecord.properties,
      requestedAt: Time(),
      signalledAt: Type.Optional(Time()),
      goneAt: Type.Optional(Time()),
    },
    closed,
  ),
  {
    cause: 'Who asked for it.',
    requestedAt: 'When it was asked for.',
    signalledAt: 'When its worker was told to end it.',
    goneAt: 'When the worker said that nothing of it was left.',
  },
);

const TimelineMs = described(Timeline, {
  queuedMs: 'From the submission, or the end of the attempt before, to the dispatch.',
  dispatchMs: 'What remains from the dispatch to the arrival of the result.',
  startMs: 'From when the worker has the task until its process runs.',
  runMs: 'From when its process runs until it has ended.',
  drainMs: 'From when it has ended until its output is read to the end.',
  checkMs: 'Judging its output; 0 without `check`.',
});

const Used = described(Usage, {
  wallMs: 'Real time, in milliseconds.',
  cpuMs: 'Processor time of the script and of its children, in milliseconds.',
  memoryPeakBytes: 'Most memory at once, in bytes.',
  processesPeak: 'Most processes and threads at once; only at isolation `strict`.',
});

const Format = described(FormatFault, {
  expected: 'What the check wants.',
  at: 'Where: a JSON pointer, or line and column.',
  got: 'What came.',
});

const File = described(
  Type.Object(
    { content: Type.String(), encoding: Encoding, bytes: Type.Integer({ minimum: 0 }) },
    closed,
  ),
  {
    content: 'What is in it.',
    encoding: 'How `content` is written: as text, or as base64.',
    bytes: 'Size of the file, in bytes.',
  },
);

const Skipped = described(NotCollected, {
  name: 'Name of the file.',
  code: 'Name of an errno, e.g. `ELOOP` for a symbolic link.',
  reason: 'A few words on it.',
});

const Truncated = described(TaskView.properties.truncated, {
  stdout: 'Not all of stdout is there.',
  stderr: 'Not all of stderr is there.',
});

const times = {
  createdAt: Time(),
  runAt: Type.Optional(Time()),
  expiresAt: Type.Optional(Time()),
  nextAttemptAt: Type.Optional(Time()),
  startedAt: Type.Optional(Time()),
  finishedAt: Type.Optional(Time()),
};

/** Neither outputs nor files nor exception: a page has many of them. */
const { stdout: _o, stderr: _e, files: _f, exception: _x, ...view } = TaskView.properties;
const summary = {
  ...view,
  ...times,
  truncated: Type.Optional(Truncated),
  limits: Reference('Limits'),
  attempts: Type.Array(Reference('Attempt')),
  cancel: Type.Optional(Cancel),
  timeline: Type.Optional(TimelineMs),
  usage: Type.Optional(Used),
  format: Type.Optional(Format),
  filesNotCollected: Type.Optional(Type.Array(Skipped)),
  webhook: Type.Optional(
    described(WebhookTarget, {
      origin: 'Scheme, host and port of its URL; the rest may be secret.',
    }),
  ),
};

const summaryTexts = {
  id: 'UUIDv7, in lower case.',
  type: 'Which worker type executes it.',
  state: 'Where it is in its life.',
  outcome: 'How it ended; there once `state` is `finished`.',
  code: 'What exactly happened. Absent on success.',
  reason: 'One or two sentences: which limit, the value reached, the cure. Absent on success.',
  priority: 'As asked for.',
  score: 'Its place in the queue at submission, in milliseconds of waiting.',
  group: 'As asked for.',
  tags: 'As asked for.',
  limits: 'As asked for, with the defaults filled in.',
  network: 'What it has of the network, where scripts are shut in.',
  attempt: 'Number of the current or last attempt; 0 before the first.',
  attempts: 'The newest 100 attempts.',
  createdAt: 'When it was submitted.',
  runAt: 'Not before this time.',
  expiresAt: 'If it has not begun by then, it expires.',
  nextAttemptAt: 'When it is tried again.',
  startedAt: 'When its last attempt was dispatched.',
  finishedAt: 'When it was finished.',
  deadLetter: 'Its attempts are used up by no doing of its own: it can be sent again.',
  cancel: 'What became of the wish to cancel it.',
  timeline: 'Where the time of its last attempt went: each in milliseconds.',
  exitCode: 'Exit code of the script.',
  signal: 'Name of the signal that ended it, e.g. `SIGKILL`.',
  truncated: 'True: the output went over `limits.outputBytes`; its beginning and end are kept.',
  usage: 'What the last attempt cost.',
  format: 'Why `check` refused its output.',
  filesNotCollected: 'What `collect` matched and was not handed back, and why.',
  webhook: 'Who is told when it is finished.',
  worker: 'Name of the worker that runs or ran it.',
  durability: 'What its submission’s answer meant: on disk, with the system, or in memory.',
} as const;

/** As a page shows it. */
export const TaskSummary = described(Type.Object(summary, closed), summaryTexts);

const outputs = {
  stdout: Type.Optional(Type.String()),
  stdoutEncoding: Type.Optional(Encoding),
  stderr: Type.Optional(Type.String()),
  stderrEncoding: Type.Optional(Encoding),
};

export const outputTexts = {
  stdout: 'What the script wrote to stdout, as `stdoutEncoding` says.',
  stdoutEncoding: '`utf-8` if it is valid UTF-8, else `base64`.',
  stderr: 'What the script wrote to stderr, as `stderrEncoding` says.',
  stderrEncoding: '`utf-8` if it is valid UTF-8, else `base64`.',
} as const;

export const outputMembers: Readonly<Record<keyof typeof outputTexts, TSchema>> = outputs;

export const Task = described(
  Type.Object(
    {
      ...summary,
      ...outputs,
      exception: Type.Optional(Reference('Exception')),
      files: Type.Optional(MapOf(File)),
    },
    closed,
  ),
  {
    ...summaryTexts,
    ...outputTexts,
    exception: 'An exception that nobody caught, with its frames.',
    files: 'What `collect` asked for, by name.',
  },
);
