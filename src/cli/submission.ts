import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { basename, extname } from 'node:path';
import type { Content, Limits, TaskSpec } from '../client/index.js';
import { errorMessage, ScriptdError } from '../errors.js';
import { limits } from '../limits.js';

/** What `scriptd submit` may be told about the task. */
export interface SubmissionOptions {
  type?: string;
  env?: string[];
  file?: string[];
  limit?: string[];
  network?: 'none' | 'host';
  priority?: string;
  group?: string;
  tag?: string[];
  attempts?: string;
  delay?: string;
}

const types: Readonly<Record<string, string>> = {
  '.py': 'python',
  '.js': 'node',
  '.mjs': 'node',
  '.cjs': 'node',
  '.sh': 'bash',
  '.bash': 'bash',
};

/**
 * What is told the service about a script, but for its code, arguments and stdin.
 *
 * @throws ScriptdError BAD_OPTION, SCRIPT_UNREADABLE
 */
export function specOf(options: SubmissionOptions): Omit<TaskSpec, 'code'> {
  const { type, network, group, tag, env, file, limit, priority, attempts, delay } = options;
  return {
    ...(type !== undefined && { type }),
    ...(network !== undefined && { network }),
    ...(group !== undefined && { group }),
    ...(tag && { tags: tag }),
    ...(env && { env: Object.fromEntries(env.map(variableOf)) }),
    ...(file && { files: Object.fromEntries(file.map(fileOf)) }),
    ...(limit && { limits: Object.fromEntries(limit.map(limitOf)) }),
    ...(priority !== undefined && { priority: wholeNumber('--priority', priority) }),
    ...(attempts !== undefined && { retry: { maxAttempts: wholeNumber('--attempts', attempts) } }),
    ...(delay !== undefined && { delayMs: wholeNumber('--delay', delay) }),
  };
}

/**
 * A script as it lies there: its code, and its type where its name tells. A shebang goes before; it
 * is for the service to read.
 *
 * @param path `-`: standard input
 * @throws ScriptdError SCRIPT_UNREADABLE
 */
export function scriptOf(path: string): Pick<TaskSpec, 'code' | 'type'> {
  const bytes = readAll(path === '-' ? 0 : path, path, limits.codeBytesMax);
  let code: string;
  try {
    // Also a byte order mark is part of it.
    code = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ScriptdError('SCRIPT_UNREADABLE', `${path} is not UTF-8, so it is no script`, {
      cause,
    });
  }
  const type = code.startsWith('#!') ? undefined : types[extname(path).toLowerCase()];
  return { code, ...(type !== undefined && { type }) };
}

/** Whether a file is a script, by its name or its first line. */
export function isScript(path: string): boolean {
  if (types[extname(path).toLowerCase()] !== undefined) return true;
  return readable(path, () => beginningOf(path, 2)).toString() === '#!';
}

/**
 * Standard input for the script: all that is piped or redirected there, nothing from a terminal.
 *
 * @throws ScriptdError SCRIPT_UNREADABLE when it is too long
 */
export async function stdinOf(): Promise<Content | undefined> {
  const stat = fstatSync(0);
  if (!stat.isFIFO() && !stat.isFile() && !stat.isSocket()) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of createReadStream('', { fd: 0, autoClose: false })) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > limits.stdinBytesMax) throw tooLong('standard input', limits.stdinBytesMax);
  }
  return bytes === 0 ? undefined : { base64: Buffer.concat(chunks).toString('base64') };
}

function readAll(file: string | number, name: string, bytesMax: number): Buffer {
  const bytes = readable(name, () => beginningOf(file, bytesMax + 1));
  if (bytes.length > bytesMax) throw tooLong(name, bytesMax);
  return bytes;
}

function readable(name: string, read: () => Buffer): Buffer {
  try {
    return read();
  } catch (cause) {
    const text = `${name} cannot be read: ${errorMessage(cause)}`;
    throw new ScriptdError('SCRIPT_UNREADABLE', text, { cause });
  }
}

/** At most so many bytes: a pipe or device may have no end. */
function beginningOf(file: string | number, bytesMax: number): Buffer {
  const fd = typeof file === 'number' ? file : openSync(file, 'r');
  const chunks: Buffer[] = [];
  try {
    for (let left = bytesMax; left > 0; ) {
      const chunk = Buffer.allocUnsafe(Math.min(left, 65_536));
      const length = readSync(fd, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      left -= length;
    }
  } finally {
    if (fd !== file) closeSync(fd);
  }
  return Buffer.concat(chunks);
}

function tooLong(name: string, bytesMax: number): ScriptdError {
  const text = `${name} has more than ${bytesMax} bytes, the most that a task takes`;
  return new ScriptdError('SCRIPT_UNREADABLE', text);
}

/** `NAME=VALUE`; without a value, that of this process. */
function variableOf(text: string): [string, string] {
  const [name, value] = parted(text);
  if (/^[A-Za-z_]\w*$/.test(name)) return [name, value ?? process.env[name] ?? ''];
  const cure = 'write NAME=VALUE, with a name of letters, digits and _';
  throw new ScriptdError('BAD_OPTION', `--env ${text}: ${cure}`);
}

/** `PATH`, or `NAME=PATH`. */
function fileOf(text: string): [string, Content] {
  const [name, path] = parted(text);
  const bytes = readAll(path ?? name, path ?? name, limits.filesBytesMax);
  return [path === undefined ? basename(name) : name, { base64: bytes.toString('base64') }];
}

function limitOf(text: string): [keyof Limits, number] {
  const [name, value] = parted(text);
  if (value !== undefined) return [name as keyof Limits, wholeNumber(`--limit ${name}`, value)];
  throw new ScriptdError('BAD_OPTION', `--limit ${text}: write NAME=NUMBER, e.g. wallMs=5000`);
}

function parted(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Whether it is in range is for the service to say. */
function wholeNumber(option: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new ScriptdError('BAD_OPTION', `${option} ${text}: it must be a whole number`);
}
