import { dirname } from 'node:path';
import type { ProcessRuntime } from './runtimes/runtime.js';

const systemFolders = ['/usr/local/bin', '/usr/bin', '/bin'];

/**
 * The whole environment of a script. Nothing of the worker's own gets in: it may hold secrets. The
 * interpreter's folder leads PATH, so that a child `python3` is the one that runs the script.
 */
export function scriptEnvironment(
  runtime: ProcessRuntime,
  folders: { home: string; temporary: string },
  taskEnv: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const own = dirname(runtime.file);
  const path = systemFolders.includes(own) ? systemFolders : [own, ...systemFolders];
  return {
    PATH: path.join(':'),
    HOME: folders.home,
    TMPDIR: folders.temporary,
    LANG: 'C.UTF-8',
    ...runtime.env,
    ...taskEnv,
  };
}

/** As execve(2) takes them. */
export function environmentEntries(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
