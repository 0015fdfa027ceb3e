import { isUtf8 } from 'node:buffer';
import { type Static, Type } from 'typebox';
import { checkFault } from '../checker/fault.js';
import { collectFault } from '../file-names.js';
import { limits } from '../limits.js';
import { OneOf, validator } from '../schema.js';
import { type Check, Limits, networks, TaskSpec } from '../task.js';
import { webhookFault } from '../webhook.js';
import { type BytesJson, checkUnicode, readBytes } from './json-bytes.js';
import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';
import { readFiles } from './task-files.js';
import { readTime } from './time-text.js';

/** These are headers: they are about the request. */
const { idempotencyKey: _, traceparent: __, tracestate: ___, ...properties } = TaskSpec.properties;

/** The body of POST /v1/tasks: a TaskSpec, but for what is checked by hand. */
export const TaskBody = Type.Object(
  {
    ...properties,
    runAt: Type.Optional(Type.Unsafe<string>({})),
    stdin: Type.Optional(Type.Unsafe<Static<typeof BytesJson>>({})),
    files: Type.Optional(Type.Unsafe<Record<string, Static<typeof BytesJson>>>({})),
    network: Type.Optional(OneOf(networks)),
  },
  { additionalProperties: false },
);
type TaskBody = Static<typeof TaskBody>;

const bodies = validator(TaskBody);

/** Of one UTF-16 unit: what is short enough by this need not be counted. */
const utf8BytesMax = 3;

/**
 * The task that a JSON body asks for.
 *
 * @param nowMs milliseconds since 1970-01-01 UTC
 * @throws Problem INVALID_FIELD (`field` names it), MISSING_CODE, CODE_TOO_LARGE, LIMIT_TOO_HIGH.
 */
export function readTaskBody(body: unknown, nowMs: number): TaskSpec {
  for (const part of partsOf(body)) refuseLongNames(part);
  if (hasLongCode(body)) throw codeTooLarge();
  refuseHighLimits(body);
  const misfit = bodies.misfit(body);
  if (misfit) {
    const code = misfit.message === '`code` is missing' ? 'MISSING_CODE' : 'INVALID_FIELD';
    const field = misfit.field.slice(0, httpLimits.nameMax);
    throw problem(code, misfit.message, field ? { field } : {});
  }
  const asked = body as TaskBody;
  checkTexts(asked);
  // A copy, in which what stands there as JSON is replaced: quicker than to leave it out.
  const spec = { ...asked } as unknown as TaskSpec;
  const { stdin, files } = asked;
  const runAt = readRunAt(asked, nowMs);
  if (runAt !== undefined) spec.runAt = runAt;
  if (stdin !== undefined) spec.stdin = readStdin(stdin);
  if (files !== undefined) spec.files = readFiles(files);
  return spec;
}

export function codeTooLarge(): Problem {
  const text = `the code is larger than ${limits.codeBytesMax} bytes of UTF-8`;
  return problem('CODE_TOO_LARGE', `${text}; let the script read its data from stdin`, {
    field: 'code',
  });
}

/** What a schema can't say: sizes in bytes, and what neither UTF-8 nor execve can carry. */
function checkTexts(task: TaskBody): void {
  const { code, group, tags, args, env, check, collect, webhook } = task;
  checkUnicode('code', code);
  if (group !== undefined) checkText('group', group, limits.tagBytesMax);
  tags?.forEach((tag, index) => {
    checkText(`tags.${index}`, tag, limits.tagBytesMax);
  });
  args?.forEach((argument, index) => {
    checkWithoutNul(`args.${index}`, argument);
    checkText(`args.${index}`, argument, limits.argBytesMax);
  });
  for (const [name, value] of env ? Object.entries(env) : []) {
    checkWithoutNul(`env.${name}`, value);
    checkText(`env.${name}`, value, limits.envValueBytesMax);
  }
  if (check) checkCheck(check);
  const fault = (collect && collectFault(collect)) ?? (webhook && webhookFault(webhook));
  if (fault) throw problem('INVALID_FIELD', fault.message, { field: fault.field });
}

/** But for what takes a process to find out; checks.ts does that. */
function checkCheck(check: Check): void {
  const fault = checkFault(check);
  if (fault) throw problem('INVALID_FIELD', fault.message, { field: fault.field });
  const { pattern = '', exact = '', script } = check;
  checkUnicode('check.pattern', pattern);
  checkUnicode('check.exact', exact);
  for (const text of [script?.code ?? '', ...(script?.args ?? [])]) {
    checkUnicode('check.script', text);
  }
}

function checkText(field: string, text: string, bytesMax: number): void {
  checkUnicode(field, text);
  if (text.length * utf8BytesMax > bytesMax && Buffer.byteLength(text) > bytesMax) {
    throw problem('INVALID_FIELD', `\`${field}\` is longer than ${bytesMax} bytes`, { field });
  }
}

function checkWithoutNul(field: string, text: string): void {
  if (!text.includes('\0')) return;
  throw problem('INVALID_FIELD', `\`${field}\` holds a NUL, which no process can be given`, {
    field,
  });
}

function readStdin(stdin: unknown): Buffer {
  const bytes = readBytes('stdin', stdin);
  if (bytes.length > limits.stdinBytesMax) {
    const detail = `\`stdin\` is longer than ${limits.stdinBytesMax} bytes`;
    throw problem('INVALID_FIELD', detail, { field: 'stdin' });
  }
  return bytes;
}

/**
 * Of a delay and of a time, one; neither so far off that it is a mistake.
 *
 * @returns `runAt` in milliseconds since 1970-01-01 UTC; undefined: at once, or after the delay
 */
function readRunAt(
  { delayMs, runAt, expiresAfterMs }: Pick<TaskBody, 'delayMs' | 'runAt' | 'expiresAfterMs'>,
  nowMs: number,
): number | undefined {
  if (delayMs !== undefined && runAt !== undefined) {
    throw unfit('runAt', '`delayMs` and `runAt` do not go together: leave one of them out');
  }
  const at = runAt === undefined ? undefined : readTime('runAt', runAt);
  const waitMs = delayMs ?? (at === undefined ? 0 : at - nowMs);
  if (waitMs > limits.delayMsMax) {
    throw unfit('runAt', `\`runAt\` is more than ${limits.delayMsMax} ms (a year) away`);
  }
  if (expiresAfterMs !== undefined && waitMs >= expiresAfterMs) {
    const field = at === undefined ? 'delayMs' : 'runAt';
    const text = `\`expiresAfterMs\` counts from the submission and is over before \`${field}\` is: raise it`;
    throw unfit('expiresAfterMs', text);
  }
  return at;
}

function unfit(field: string, detail: string): Problem {
  return problem('INVALID_FIELD', detail, { field });
}

/** What no type may have. What a type may have is for the controller to say, with the same code. */
function refuseHighLimits(body: unknown): void {
  const asked = (body as { limits?: unknown } | null)?.limits;
  if (typeof asked !== 'object' || asked === null) return;
  for (const [name, schema] of Object.entries(Limits.properties)) {
    const value = Object.hasOwn(asked, name) ? (asked as Record<string, unknown>)[name] : undefined;
    const most = (schema as { maximum?: number }).maximum ?? Number.POSITIVE_INFINITY;
    if (typeof value !== 'number' || value <= most) continue;
    const field = `limits.${name}`;
    const detail = `\`${field}\` is ${value}; at most ${most} is possible: ask for less`;
    throw problem('LIMIT_TOO_HIGH', detail, { field });
  }
}

function hasLongCode(body: unknown): boolean {
  const code = (body as { code?: unknown } | null)?.code;
  if (typeof code !== 'string' || code.length * utf8BytesMax <= limits.codeBytesMax) return false;
  return Buffer.byteLength(code) > limits.codeBytesMax;
}

/** Where a body's names are compared with known ones. */
function partsOf(body: unknown): unknown[] {
  if (typeof body !== 'object' || body === null) return [];
  const { limits: asked, retry, env, webhook } = body as Partial<Record<string, unknown>>;
  return [body, asked, retry, env, webhook];
}

/** Names are compared with the known ones, in time that grows with their length. */
export function refuseLongNames(part: unknown): void {
  if (typeof part !== 'object' || part === null) return;
  for (const name of Object.keys(part)) {
    if (name.length <= httpLimits.nameMax) continue;
    const detail = `a field is not known; its name has ${name.length} characters`;
    throw problem('INVALID_FIELD', detail, { field: name.slice(0, httpLimits.nameMax) });
  }
}

/**
 * Code that came as bytes.
 *
 * @throws Problem INVALID_UTF8.
 */
export function codeText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw problem('INVALID_UTF8', 'the body is the code, and it is not valid UTF-8', {
    field: 'code',
  });
}
