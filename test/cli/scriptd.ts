import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/native.js';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** What else a command is given. */
export interface Given {
  /** Standard input; without it, none. */
  input?: string | Buffer;
  env?: Record<string, string>;
}

/** Begins a command, in a folder without a configuration. */
export function begin(args: readonly string[], cwd: string, { input, env }: Given = {}) {
  // tap has the child processes of a test load its own modules; these are to run as they are.
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
  const child = spawn('env', [...clean, ...args], {
    cwd,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  child.stdin?.end(input);
  return child as typeof child & { stdout: Readable; stderr: Readable };
}

/** Runs one command to its end, in a folder without a configuration. */
export async function scriptd(
  args: readonly string[],
  cwd: string,
  given: Given = {},
): Promise<Ran> {
  const child = begin(args, cwd, given);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
