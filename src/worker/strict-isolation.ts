import { invariant } from '../invariant.js';
import { limits as maxima } from '../limits.js';
import type { Limits } from '../task.js';
import type { CgroupHost, CgroupLimits } from './cgroup/cgroup.js';
import type { Demand, Enclosure, Isolation } from './enclosure.js';
import { scriptEnvironment } from './environment.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { StrictPlan } from './sandbox.js';
import type { Capacity } from './sandbox-plan.js';
import { processLimits } from './verdict.js';
import { visiblePaths } from './visible-paths.js';

/** Level `strict`: namespaces, a file system, ids and a cgroup of its own for each run. */
export class StrictIsolation implements Isolation {
  readonly level = 'strict';
  readonly #cgroups: CgroupHost;
  readonly #readOnly: StrictPlan['readOnly'];
  /** Ids that no run has at present. */
  readonly #freeIds: number[];

  /**
   * @param firstId of `ids` user and group ids that nobody else on this host has
   * @param ids as many as there may be enclosures at once
   */
  constructor(runtime: ProcessRuntime, cgroups: CgroupHost, firstId: number, ids: number) {
    this.#cgroups = cgroups;
    const { bootstrap } = runtime;
    const place = bootstrap && { source: bootstrap.folder, target: bootstrapPlace };
    this.#readOnly = place ? [...visiblePaths(runtime), place] : visiblePaths(runtime);
    this.#freeIds = Array.from({ length: ids }, (_, index) => firstId + ids - 1 - index);
  }

  canPrepare(): boolean {
    return true;
  }

  keyOf(runtime: ProcessRuntime, { limits, network, env }: Demand): string {
    const own = runtime.bootstrap && !runtime.bootstrap.takesLimits ? processLimits(limits) : {};
    return JSON.stringify([network, spaceOf(limits), own, env ?? {}]);
  }

  enclose(runtime: ProcessRuntime, { limits, network, env }: Demand): Enclosure {
    const { bootstrap } = runtime;
    const environment = scriptEnvironment(runtime, folders, env);
    const space = spaceOf(limits);
    const cgroup = this.#cgroups.create(cgroupLimits(limits));
    const id = this.#freeIds.pop();
    invariant(id, 'there are as many ids as enclosures');
    let cpuBeforeMs = 0;
    return {
      folders,
      plan: {
        file: runtime.file,
        argv: bootstrap?.argv(bootstrapPlace) ?? [runtime.file],
        env: environment,
        cwd: folders.home,
        stdin: 'pipe',
        limits: !bootstrap || bootstrap.takesLimits ? {} : processLimits(limits),
        control: true,
        strict: {
          uid: id,
          gid: id,
          readOnly: this.#readOnly,
          directory: space,
          tmp: space,
          shm: space,
          files: [],
          network,
          cgroup: cgroup.entry,
          landlock: 'require',
          ...(!bootstrap && { waits: true }),
        },
      },
      admit: (admitted) => {
        cgroup.limit(cgroupLimits(admitted));
        cpuBeforeMs = cgroup.cpuMs();
      },
      cpuMs: () => cgroup.cpuMs() - cpuBeforeMs,
      collect: undefined,
      usage: () => {
        const usage = cgroup.usage();
        return { ...usage, cpuMs: usage.cpuMs - cpuBeforeMs };
      },
      leave: () => {
        cgroup.release();
        this.#freeIds.push(id);
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

/** Where a script's interpreter finds its bootstrap. */
const bootstrapPlace = '/scriptd';

const folders = { home: '/work', temporary: '/tmp' };

function spaceOf({ diskBytes, files }: Limits): Capacity {
  return { bytes: Math.max(diskBytes, pageBytes), inodes: files ?? maxima.filesDefault };
}

function cgroupLimits(limits: Limits): CgroupLimits {
  return { memoryBytes: memoryLimit(limits), processes: limits.processes };
}

/** The memory that a run at this level may use. */
export function memoryLimit({ memoryBytes }: Limits): number {
  return memoryBytes ?? maxima.memoryBytesDefault;
}
