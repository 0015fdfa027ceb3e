import { invariant } from '../invariant.js';
import type { Limits } from '../task.js';
import type { CgroupHost } from './cgroup/cgroup.js';
import type { Enclosure, Isolation } from './enclosure.js';
import { scriptEnvironment } from './environment.js';
import { workerLimits } from './limits.js';
import type { ExecuteMessage } from './queue.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import { processLimits } from './verdict.js';
import { visiblePaths } from './visible-paths.js';

/** Level `strict`: namespaces, a file system, ids and a cgroup of its own for each run. */
export class StrictIsolation implements Isolation {
  readonly level = 'strict';
  readonly #cgroups: CgroupHost;
  readonly #readOnly: readonly string[];
  /** Ids that no run has at present. */
  readonly #freeIds: number[];

  /**
   * @param firstId of `slots` user and group ids that nobody else on this host has
   */
  constructor(runtime: ProcessRuntime, cgroups: CgroupHost, firstId: number, slots: number) {
    this.#cgroups = cgroups;
    this.#readOnly = visiblePaths(runtime);
    this.#freeIds = Array.from({ length: slots }, (_, index) => firstId + slots - 1 - index);
  }

  enclose(
    runtime: ProcessRuntime,
    { code, args = [], env, stdin, limits }: ExecuteMessage,
  ): Enclosure {
    const argv = runtime.argv(args);
    const environment = scriptEnvironment(runtime, { home: '/work', temporary: '/tmp' }, env);
    const space = { bytes: Math.max(limits.diskBytes, pageBytes), inodes: workerLimits.filesMax };
    const cgroup = this.#cgroups.create({
      memoryBytes: memoryLimit(limits),
      processes: limits.processes,
    });
    const id = this.#freeIds.pop();
    invariant(id, 'a run has a slot, and each slot its ids');
    return {
      cpuMs: () => cgroup.cpuMs(),
      plan: {
        file: runtime.file,
        argv,
        env: environment,
        cwd: '/work',
        stdin: stdin && stdin.length > 0 ? 'pipe' : 'null',
        limits: processLimits(limits),
        strict: {
          uid: id,
          gid: id,
          readOnly: this.#readOnly,
          directory: space,
          tmp: space,
          shm: space,
          files: [{ name: runtime.scriptName, content: Buffer.from(code), mode: 0o600 }],
          network: 'none',
          cgroup: cgroup.entry,
          landlock: 'require',
        },
      },
      leave: () => {
        const usage = cgroup.usage();
        cgroup.release();
        this.#freeIds.push(id);
        return usage;
      },
    };
  }

  async settled(): Promise<void> {
    // What a run leaves is gone with its namespaces.
  }

  close(): void {
    this.#cgroups.close();
  }
}

/** A tmpfs without a size has no bound. */
const pageBytes = 4096;

/** The memory that a run at this level may use. */
export function memoryLimit({ memoryBytes }: Limits): number {
  return memoryBytes ?? workerLimits.memoryBytesDefault;
}
