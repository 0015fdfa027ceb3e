import { execFileSync } from 'node:child_process';
import type { Poller } from '../src/poll/poller.js';
import { reap } from '../src/worker/process-end.js';
import { startProcess } from '../src/worker/sandbox.js';
import { median } from './statistics.js';

/** Median of what `count` calls take, one after the other. Milliseconds. */
export async function p50Ms(count: number, once: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let index = 0; index < count; index++) {
    const start = performance.now();
    await once();
    took.push(performance.now() - start);
  }
  return median(took);
}

/** The interpreter itself: a version manager's shim in PATH would cost more than it. */
export function pythonPath(): string {
  const question = 'import sys; print(sys.executable)';
  return execFileSync('python3', ['-c', question], { encoding: 'utf8' }).trim();
}

/**
 * Runs a program to its end as cheaply as this process can: the addon's vfork-like start, and epoll
 * for its end. The references start so too, so that what is compared is what they do.
 *
 * @returns what it wrote to stdout and stderr; throws unless its exit code is 0
 */
export function runPlain(poller: Poller, argv: readonly [string, ...string[]]): Promise<string> {
  return new Promise((resolve, reject) => {
    const [file] = argv;
    const plan = { file, argv, env: { PATH: '/usr/bin:/bin' }, cwd: '/', limits: {} };
    const { pid, pidfd, stdout, stderr } = startProcess({ ...plan, stdin: 'null' });
    let said = '';
    const hear = (chunk: Buffer) => {
      said += chunk;
    };
    const pipes = [stdout, stderr].map((fd) => poller.adopt(fd, { onData: hear }));
    poller.watchProcess(pidfd, () => {
      const status = reap(pid);
      for (const pipe of pipes) pipe.readAvailable(65_536);
      for (const pipe of pipes) pipe.close();
      if (status?.exitCode === 0) resolve(said);
      else reject(new Error(`${argv.join(' ')} failed: ${said}`));
    });
  });
}
