import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Runs one of programs/ in a process of its own and returns what it printed, as JSON (undefined:
 * nothing). It fails when the program exits with another code than 0; a signal is no failure.
 */
export async function runProgram(
  name: string,
  args: string[] = [],
  options: { openFilesMax?: number } = {},
): Promise<unknown> {
  const program = fileURLToPath(new URL(`programs/${name}.js`, import.meta.url));
  const limit = options.openFilesMax === undefined ? '' : `ulimit -n ${options.openFilesMax}; `;
  const script = `${limit}exec "$@"`;
  try {
    const command = ['-c', script, 'sh', process.execPath, program, ...args];
    const { stdout } = await promisify(execFile)('sh', command);
    return stdout === '' ? undefined : JSON.parse(stdout);
  } catch (error) {
    if (error instanceof Error && 'signal' in error && error.signal !== null) return undefined;
    throw error;
  }
}
