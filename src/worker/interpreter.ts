import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage, ScriptdError } from '../errors.js';
import { workerLimits } from './limits.js';

export interface InterpreterQuery {
  /** The task type that needs it, for the message. */
  type: string;
  /** Names to look for in PATH, the best first. */
  names: readonly string[];
  /** Path or name from the configuration: then nothing else is tried. */
  configured?: string;
  /** Path to try when PATH has none. */
  fallback?: string;
  /** Arguments that make it print, on the first line, the path that it really lives at. */
  question: readonly string[];
  cure: string;
}

export interface Interpreter {
  /** Absolute, executable, no version manager's shim. */
  path: string;
  /** All lines that it answered. */
  answer: string[];
}

/**
 * Finds an interpreter and asks it where it really lives, once: `python3` in PATH may be a version
 * manager's shell script that costs half a second at every start.
 *
 * @throws ScriptdError RUNTIME_MISSING, with what was tried and the cure.
 */
export async function resolveInterpreter(query: InterpreterQuery): Promise<Interpreter> {
  const tried: string[] = [];
  for (const candidate of candidates(query)) {
    try {
      return await ask(candidate, query.question);
    } catch (error) {
      tried.push(`${candidate}: ${errorMessage(error).trim().split('\n')[0]}`);
    }
  }
  const wanted = query.configured ?? query.names.join(' or ');
  const found = tried.length > 0 ? ` (${tried.join('; ')})` : '';
  throw missing(query.type, wanted, `${found}; ${query.cure}`);
}

/**
 * The absolute path of a program, looked for in PATH unless it has a slash.
 *
 * @throws ScriptdError RUNTIME_MISSING
 */
export function resolveCommand(type: string, program: string): string {
  const path = inPath(program)[0];
  if (path === undefined) throw missing(type, program, '; install it');
  return path;
}

function missing(type: string, wanted: string, detail: string): ScriptdError {
  return new ScriptdError(
    'RUNTIME_MISSING',
    `type ${type} needs ${wanted}, which does not run on this host${detail}, ` +
      `or name another in the configuration of ${type}`,
  );
}

function candidates({ configured, names, fallback }: InterpreterQuery): string[] {
  if (configured !== undefined) return inPath(configured);
  return [...names.flatMap(inPath), ...(fallback === undefined ? [] : [fallback])];
}

function inPath(name: string): string[] {
  if (name.includes('/')) return isExecutable(resolve(name)) ? [resolve(name)] : [];
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not ours to execute: both mean no.
    return false;
  }
}

async function ask(candidate: string, question: readonly string[]): Promise<Interpreter> {
  const { stdout } = await promisify(execFile)(candidate, question, {
    timeout: workerLimits.resolveMs,
    killSignal: 'SIGKILL',
  });
  const answer = stdout.trim().split('\n');
  const path = answer[0] ?? '';
  if (!isAbsolute(path) || !isExecutable(path)) {
    throw new ScriptdError('RUNTIME_MISSING', `it says that it lives at ${JSON.stringify(path)}`);
  }
  return { path, answer };
}
