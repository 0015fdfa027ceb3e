import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { packageRoot } from '../../src/native.js';

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs one command to its end, in a folder without a configuration. */
export async function scriptd(args: readonly string[], cwd: string): Promise<Ran> {
  // tap has the child processes of a test load its own modules; these are to run as they are.
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
  const child = spawn('env', [...clean, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
