import { isUtf8 } from 'node:buffer';
import { type Static, Type } from 'typebox';
import { limits } from '../limits.js';
import { validator } from '../schema.js';
import { TaskSpec } from '../task.js';
import { httpLimits } from './limits.js';
import { type Problem, problem } from './problem.js';

/** Standard input as JSON can hold it: text, or any bytes. */
export const StdinJson = Type.Union([
  Type.String(),
  Type.Object({ base64: Type.String() }, { additionalProperties: false }),
]);
type StdinJson = Static<typeof StdinJson>;

/** The body of POST /v1/tasks: a TaskSpec, but for `stdin`, which is checked by hand. */
export const TaskBody = Type.Object(
  { ...TaskSpec.properties, stdin: Type.Optional(Type.Unsafe<StdinJson>({})) },
  { additionalProperties: false },
);
type TaskBody = Static<typeof TaskBody>;

const bodies = validator(TaskBody);

/**
 * The task that a JSON body asks for.
 *
 * @throws Problem INVALID_FIELD (`field` names it), MISSING_CODE, CODE_TOO_LARGE.
 */
export function readTaskBody(body: unknown): TaskSpec {
  refuseLongNames(body);
  if (hasLongCode(body)) throw codeTooLarge();
  const misfit = bodies.misfit(body);
  if (misfit) {
    const code = misfit.message === '`code` is missing' ? 'MISSING_CODE' : 'INVALID_FIELD';
    const field = misfit.field.slice(0, httpLimits.nameMax);
    throw problem(code, misfit.message, field ? { field } : {});
  }
  const { stdin, ...rest } = body as TaskBody;
  checkTexts(rest);
  return stdin === undefined ? rest : { ...rest, stdin: readStdin(stdin) };
}

export function codeTooLarge(): Problem {
  const text = `the code is larger than ${limits.codeBytesMax} bytes of UTF-8`;
  return problem('CODE_TOO_LARGE', `${text}; let the script read its data from stdin`, {
    field: 'code',
  });
}

/** True for text that is not Unicode: half a surrogate pair. */
function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** What a schema can't say: sizes in bytes, and what neither UTF-8 nor execve can carry. */
function checkTexts(task: Omit<TaskSpec, 'stdin'>): void {
  checkUnicode('code', task.code);
  if (task.group !== undefined) checkText('group', task.group, limits.tagBytesMax);
  for (const [index, tag] of (task.tags ?? []).entries()) {
    checkText(`tags.${index}`, tag, limits.tagBytesMax);
  }
  for (const [index, argument] of (task.args ?? []).entries()) {
    checkWithoutNul(`args.${index}`, argument);
    checkText(`args.${index}`, argument, limits.argBytesMax);
  }
  for (const [name, value] of Object.entries(task.env ?? {})) {
    checkWithoutNul(`env.${name}`, value);
    checkText(`env.${name}`, value, limits.envValueBytesMax);
  }
}

function checkText(field: string, text: string, bytesMax: number): void {
  checkUnicode(field, text);
  if (Buffer.byteLength(text) > bytesMax) {
    throw problem('INVALID_FIELD', `\`${field}\` is longer than ${bytesMax} bytes`, { field });
  }
}

function checkUnicode(field: string, text: string): void {
  if (!hasLoneSurrogate(text)) return;
  const detail = `\`${field}\` holds half a surrogate pair, which is no character`;
  throw problem('INVALID_FIELD', detail, { field });
}

function checkWithoutNul(field: string, text: string): void {
  if (!text.includes('\0')) return;
  throw problem('INVALID_FIELD', `\`${field}\` holds a NUL, which no process can be given`, {
    field,
  });
}

function readStdin(stdin: unknown): Buffer {
  const bytes = typeof stdin === 'string' ? textBytes(stdin) : base64Bytes(stdin);
  if (bytes.length > limits.stdinBytesMax) {
    const detail = `\`stdin\` is longer than ${limits.stdinBytesMax} bytes`;
    throw problem('INVALID_FIELD', detail, { field: 'stdin' });
  }
  return bytes;
}

function textBytes(text: string): Buffer {
  checkUnicode('stdin', text);
  return Buffer.from(text, 'utf8');
}

function base64Bytes(stdin: unknown): Buffer {
  const isObject = typeof stdin === 'object' && stdin !== null;
  const names = isObject ? Object.keys(stdin) : [];
  const text = isObject && 'base64' in stdin ? stdin.base64 : undefined;
  if (names.length !== 1 || typeof text !== 'string') {
    const detail = '`stdin` must be a string, or {"base64": "..."} for bytes that are not text';
    throw problem('INVALID_FIELD', detail, { field: 'stdin' });
  }
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64; so compare, with the padding left open (RFC 4648, 3.2).
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/={0,2}$/, '')) {
    throw problem('INVALID_FIELD', '`stdin.base64` is not base64', { field: 'stdin.base64' });
  }
  return bytes;
}

function hasLongCode(body: unknown): boolean {
  const code = (body as { code?: unknown } | null)?.code;
  return typeof code === 'string' && Buffer.byteLength(code) > limits.codeBytesMax;
}

/** Names are compared with the known ones, in time that grows with their length. */
function refuseLongNames(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  const { limits: asked, retry, env } = body as Partial<Record<string, unknown>>;
  for (const part of [body, asked, retry, env]) {
    if (typeof part !== 'object' || part === null) continue;
    const long = Object.keys(part).find((name) => name.length > httpLimits.nameMax);
    if (long === undefined) continue;
    const detail = `a field is not known; its name has ${long.length} characters`;
    throw problem('INVALID_FIELD', detail, { field: long.slice(0, httpLimits.nameMax) });
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
