import type { WorkRoot } from './directory.js';
import type { Enclosure, Isolation } from './enclosure.js';
import { scriptEnvironment } from './environment.js';
import type { ExecuteMessage } from './queue.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import { processLimits } from './verdict.js';

/** Level `none`: a directory of its own for each run, and the limits of a process. */
export class PlainIsolation implements Isolation {
  readonly level = 'none';
  readonly #root: WorkRoot;

  constructor(root: WorkRoot) {
    this.#root = root;
  }

  enclose(
    runtime: ProcessRuntime,
    { code, args = [], env, stdin, limits }: ExecuteMessage,
  ): Enclosure {
    const argv = runtime.argv(args);
    const { memoryBytes } = limits;
    const directory = this.#root.create(runtime.scriptName, code);
    const folders = { home: directory.path, temporary: directory.path };
    return {
      cpuMs: undefined,
      plan: {
        file: runtime.file,
        argv,
        env: scriptEnvironment(runtime, folders, env),
        cwd: directory.path,
        stdin: stdin && stdin.length > 0 ? 'pipe' : 'null',
        limits: {
          ...processLimits(limits),
          ...(memoryBytes === undefined ? {} : { addressSpaceBytes: memoryBytes }),
        },
      },
      leave: () => {
        directory.remove();
        return undefined;
      },
    };
  }

  settled(): Promise<void> {
    return this.#root.settled();
  }

  close(): void {
    // The root stays: it is the next worker's of this name.
  }
}
