import { invariant } from '../invariant.js';
import { limits as maxima } from '../limits.js';
import type { Log } from '../log.js';
import type { Limits } from '../task.js';
import { accountOf, cgroupLimits } from './cgroup/account.js';
import { type CgroupHost, cgroupsStay, type RunCgroup } from './cgroup/cgroup.js';
import { ReadyCgroups } from './cgroup/ready.js';
import type { Demand, Enclosure, Isolation } from './enclosure.js';
import { scriptEnvironment } from './environment.js';
import { countedRlimits } from './rlimits.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { Capacity } from './sandbox-plan.js';
import type { StrictPlan } from './spawn-plan.js';
import { visiblePaths } from './visible-paths.js';

interface Place {
  cgroup: RunCgroup;
  id: number;
}

/** Level `strict`: namespaces, a file system, ids and a cgroup of its own for each run. */
export class StrictIsolation implements Isolation {
  readonly level = 'strict';
  readonly #cgroups: CgroupHost;
  readonly #ready: ReadyCgroups;
  readonly #readOnly: StrictPlan['readOnly'];
  /** Ids that no run has at present. */
  readonly #freeIds: number[];
  readonly #log: Log;
  #left: Place[] = [];
  #clear: NodeJS.Immediate | undefined;

  /**
   * @param ids user and group ids that nobody else on this host has, from `first` on; as many as there
   *   may be enclosures at once
   */
  constructor(
    runtime: ProcessRuntime,
    cgroups: CgroupHost,
    { first, count, log }: { first: number; count: number; log: Log },
  ) {
    this.#log = log;
    this.#cgroups = cgroups;
    this.#ready = new ReadyCgroups(cgroups, log);
    const { bootstrap } = runtime;
    const place = bootstrap && { source: bootstrap.folder, target: bootstrapPlace };
    this.#readOnly = place ? [...visiblePaths(runtime), place] : visiblePaths(runtime);
    this.#freeIds = Array.from({ length: count }, (_, index) => first + count - 1 - index);
  }

  canPrepare(): boolean {
    return true;
  }

  keyOf(runtime: ProcessRuntime, { limits, network, env }: Demand): string {
    const own = runtime.bootstrap && !runtime.bootstrap.takesLimits ? countedRlimits(limits) : {};
    return JSON.stringify([network, spaceOf(limits), own, env ?? {}]);
  }

  enclose(runtime: ProcessRuntime, { limits, network, env }: Demand): Enclosure {
    const { bootstrap } = runtime;
    const environment = scriptEnvironment(runtime, folders, env);
    const space = spaceOf(limits);
    const { cgroup, id } = this.#place(limits);
    return {
      folders,
      plan: {
        file: runtime.file,
        argv: bootstrap?.argv(bootstrapPlace) ?? [runtime.file],
        env: environment,
        cwd: folders.home,
        stdin: 'pipe',
        limits: !bootstrap || bootstrap.takesLimits ? {} : countedRlimits(limits),
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
      rlimits: countedRlimits,
      ...accountOf(cgroup),
      collect: undefined,
      leave: () => {
        this.#left.push({ cgroup, id });
        this.#clear ??= setImmediate(() => this.#removeLeft());
      },
    };
  }

  /** A cgroup and ids that no other run has. */
  #place(limits: Limits): Place {
    // Runs that follow each other closely leave the event loop no time for that.
    if (this.#freeIds.length === 0) this.#removeLeft();
    const id = this.#freeIds.at(-1);
    invariant(id, 'there are as many ids as enclosures');
    const cgroup = this.#ready.take(cgroupLimits(limits));
    this.#freeIds.pop();
    return { cgroup, id };
  }

  /** What a run leaves beside its cgroup is gone with its namespaces. */
  async settled(): Promise<void> {
    this.#removeLeft();
  }

  close(): void {
    this.#removeLeft();
    this.#ready.close();
    if (!this.#cgroups.close()) this.#log.warn(cgroupsStay);
  }

  /** Removes the cgroups of runs that are over, after their results went out. */
  #removeLeft(): void {
    clearImmediate(this.#clear);
    this.#clear = undefined;
    for (const { cgroup, id } of this.#left.splice(0)) {
      try {
        cgroup.release();
        this.#freeIds.push(id);
      } catch (error) {
        // Its ids stay taken: something may still run with them.
        this.#log.error({ err: error }, 'the cgroup of a run cannot be removed');
      }
    }
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
