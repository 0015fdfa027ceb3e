import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost, CgroupLimits, CgroupUsage, RunCgroup } from './cgroup.js';
import {
  make,
  readField,
  readNumber,
  remove,
  removeEmptyChildren,
  write,
  writeIfThere,
} from './files.js';

const controllers = ['memory', 'pids', 'cpuacct'] as const;
type Controller = (typeof controllers)[number];
export type V1Folders = Record<Controller, string>;

/**
 * cgroup v1: a folder of the worker in each hierarchy, and in it one for each run.
 *
 * Source: Documentation/admin-guide/cgroup-v1 of the Linux kernel
 */
export class V1Host implements CgroupHost {
  readonly version = 1;
  readonly #folders: V1Folders;
  #created = 0;

  /**
   * @param parents the worker's own cgroup in each hierarchy
   * @param name of the worker's folder there
   * @throws Error of node:fs when it may not make one
   */
  constructor(parents: V1Folders, name: string) {
    const folders = {} as V1Folders;
    // Hierarchies may be mounted together (cpu,cpuacct): the same folder then.
    for (const controller of controllers) {
      const folder = join(parents[controller], name);
      if (!existsSync(folder)) make(folder);
      removeEmptyChildren(folder);
      folders[controller] = folder;
    }
    this.#folders = folders;
  }

  create(limits: CgroupLimits): RunCgroup {
    const name = `run-${++this.#created}`;
    const folders = {} as V1Folders;
    const made: string[] = [];
    const procs: number[] = [];
    try {
      for (const controller of controllers) {
        const folder = join(this.#folders[controller], name);
        folders[controller] = folder;
        if (made.includes(folder)) continue;
        make(folder);
        made.push(folder);
        procs.push(openSync(join(folder, 'cgroup.procs'), 'w'));
      }
      write(folders.memory, 'memory.limit_in_bytes', limits.memoryBytes);
      // Memory and swap together: none of what is over goes to swap.
      if (!writeIfThere(folders.memory, 'memory.memsw.limit_in_bytes', limits.memoryBytes)) {
        writeIfThere(folders.memory, 'memory.swappiness', 0);
      }
      write(folders.pids, 'pids.max', limits.processes);
    } catch (error) {
      for (const fd of procs) closeSync(fd);
      for (const folder of made) remove(folder);
      throw error;
    }
    return new V1Run(folders, made, procs);
  }

  close(): void {
    for (const folder of new Set(Object.values(this.#folders))) {
      removeEmptyChildren(folder);
      remove(folder);
    }
  }
}

class V1Run implements RunCgroup {
  readonly entry: { v1Procs: readonly number[] };
  readonly #folders: V1Folders;
  readonly #made: readonly string[];

  constructor(folders: V1Folders, made: readonly string[], v1Procs: readonly number[]) {
    this.#folders = folders;
    this.#made = made;
    this.entry = { v1Procs };
  }

  cpuMs(): number {
    return readNumber(this.#folders.cpuacct, 'cpuacct.usage') / 1e6;
  }

  usage(): CgroupUsage {
    const { memory, pids } = this.#folders;
    return {
      oomKills: readField(memory, 'memory.oom_control', 'oom_kill'),
      forksRefused: readField(pids, 'pids.events', 'max'),
      cpuMs: this.cpuMs(),
      memoryPeakBytes: readNumber(memory, 'memory.max_usage_in_bytes'),
      // Kernels before 6.12 do not count it in v1.
      processesPeak: existsSync(join(pids, 'pids.peak')) ? readNumber(pids, 'pids.peak') : 0,
    };
  }

  release(): void {
    for (const fd of this.entry.v1Procs) closeSync(fd);
    for (const folder of this.#made) remove(folder);
  }
}
