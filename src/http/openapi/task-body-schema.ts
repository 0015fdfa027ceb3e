import { Type } from 'typebox';
import { MapOf } from '../../schema.js';
import {
  LimitsAsked as Asked,
  Check as CheckAsked,
  Limits as LimitsGranted,
  Retry as RetryAsked,
} from '../../task.js';
import { Webhook as WebhookAsked } from '../../webhook.js';
import { BytesJson } from '../json-bytes.js';
import { TaskBody as TaskBodyRead } from '../task-body.js';
import { closed, described } from './described.js';
import { Reference } from './reference.js';
import { Time } from './texts.js';

const limitTexts = {
  wallMs: 'Real time from start to end, in milliseconds. Beyond it: `WALL_LIMIT`.',
  cpuMs: 'Processor time, in milliseconds. Beyond it: `CPU_LIMIT`.',
  memoryBytes:
    'Memory of all its processes and of its files in memory together, in bytes. Beyond it: `MEMORY_LIMIT` at isolation `strict`, else an error in the script.',
  outputBytes: 'Of stdout and of stderr, each, in bytes. Beyond it: `OUTPUT_LIMIT`.',
  diskBytes:
    'Of each place that it may write to, in bytes. Beyond it: `DISK_LIMIT`, or an error in the script.',
  files: 'Files and folders in each place that it may write to. Beyond it: an error in the script.',
  openFiles: 'Descriptors of one process. Beyond it: an error in the script.',
  processes:
    'Processes and threads at once. Beyond it: `PROCESS_LIMIT` at isolation `strict`, else an error in the script.',
} as const;

export const Limits = described(LimitsGranted, limitTexts);
export const LimitsAsked = described(Asked, limitTexts);

export const Retry = described(RetryAsked, {
  maxAttempts: 'Attempts in all, the first included. Default 3.',
  on: 'Outcomes that are tried again, beside `network_fail` and `internal_fail`. Default none.',
  baseMs:
    'Longest wait before the second attempt, in milliseconds; doubled for each further one, then drawn at random. Default 200.',
  capMs: 'Where the doubling ends, in milliseconds. Default 30,000.',
});

const CheckScript = CheckAsked.properties.script;

export const Check = described(
  Type.Object(
    {
      ...CheckAsked.properties,
      script: Type.Optional(
        described(CheckScript, {
          code: 'A script of the type of the task; exit code 0 accepts the output.',
          args: 'Its arguments.',
        }),
      ),
    },
    closed,
  ),
  {
    schema: 'A JSON Schema, draft 2020-12; stdout must be JSON.',
    pattern: 'An ECMAScript regular expression that must match somewhere.',
    flags: 'Of `pattern`: some of `i`, `m`, `s`, `u` and `v`.',
    exact: 'Text that stdout must be.',
    trim: 'Of `exact`: white space at both ends, of both, does not count. Default false.',
    script: 'Runs like the task itself, with its stdout on stdin.',
  },
);

const Webhook = described(WebhookAsked, {
  url: 'Where it is sent: `https://` or `http://`, without user name and password; a public address, unless the operator allows others.',
  secret:
    'Signs what is sent: `whsec_` and the base64 of 24 to 64 bytes. Default: the service’s own.',
  events: 'What is told. Default all there is.',
});

/** The body of POST /v1/tasks with all that the validator leaves to be checked by hand. */
export const TaskBody = described(
  Type.Object(
    {
      ...TaskBodyRead.properties,
      stdin: Type.Optional(BytesJson),
      files: Type.Optional(MapOf(BytesJson)),
      runAt: Type.Optional(Time()),
      limits: Type.Optional(Reference('LimitsAsked')),
      retry: Type.Optional(Reference('Retry')),
      check: Type.Optional(Reference('Check')),
      webhook: Type.Optional(Webhook),
    },
    closed,
  ),
  {
    code: 'The script: at most 4 MiB of UTF-8.',
    type: 'Which worker type executes it. Left out, a shebang or the look of the code tells.',
    args: 'Its arguments: each at most 64 KiB of UTF-8 without NUL; with `env` at most 1 MiB.',
    stdin: 'Its standard input, at most 4 MiB: text, or `{"base64": "…"}`. Default empty.',
    env: 'Its environment variables, by name: values of at most 64 KiB of UTF-8 without NUL.',
    files:
      'Files beside the script, by name: relative paths of at most 1,024 bytes; at most 256 files and 4 MiB. Text, or `{"base64": "…"}`.',
    collect: 'Patterns of the files to hand back, such as `out/**`.',
    limits: 'What it may use. What is left out, its type says.',
    network: '`host`: the network of the host that it runs on, where its type allows that.',
    inspect: 'Local variables in the report of an uncaught exception (Python). Default false.',
    priority:
      'Higher runs first; one step is worth 60 s of waiting, so nothing starves. Default 0.',
    retry: 'How it is tried again.',
    check: 'What its stdout has to be: exactly one of `schema`, `pattern`, `exact`, `script`.',
    delayMs: 'Not before so many milliseconds after the submission.',
    runAt: 'Not before this time, at most 366 days ahead; instead of `delayMs`.',
    expiresAfterMs:
      'If it has not begun so many milliseconds after the submission, it expires. More than the delay.',
    group: 'Groups share the workers of a type fairly. At most 128 bytes of UTF-8.',
    tags: 'Shown and searched for, without further effect. Each at most 128 bytes of UTF-8.',
    webhook: 'Who is told when it is finished.',
  },
);
