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

/**
 * cgroup v2: one folder of the worker, without processes of its own, and in it one for each run.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst of the Linux kernel
 */
export class V2Host implements CgroupHost {
  readonly version = 2;
  readonly #folder: string;
  #created = 0;

  /**
   * @param parent a cgroup whose children have memory and pids, see findV2Parent
   * @param name of the worker's folder there
   * @throws Error of node:fs when it may not make one
   */
  constructor(parent: string, name: string) {
    this.#folder = join(parent, name);
    if (!existsSync(this.#folder)) make(this.#folder);
    removeEmptyChildren(this.#folder);
    write(this.#folder, 'cgroup.subtree_control', '+memory +pids');
  }

  create(limits: CgroupLimits): RunCgroup {
    const folder = join(this.#folder, `run-${++this.#created}`);
    make(folder);
    try {
      write(folder, 'memory.max', limits.memoryBytes);
      // Absent where the kernel has no swap accounting: then there is nothing to forbid.
      writeIfThere(folder, 'memory.swap.max', 0);
      write(folder, 'memory.oom.group', 1);
      write(folder, 'pids.max', limits.processes);
      return new V2Run(folder, openSync(folder, 'r'));
    } catch (error) {
      remove(folder);
      throw error;
    }
  }

  close(): void {
    removeEmptyChildren(this.#folder);
    remove(this.#folder);
  }
}

class V2Run implements RunCgroup {
  readonly entry: { v2Directory: number };
  readonly #folder: string;

  constructor(folder: string, v2Directory: number) {
    this.#folder = folder;
    this.entry = { v2Directory };
  }

  cpuMs(): number {
    return readField(this.#folder, 'cpu.stat', 'usage_usec') / 1000;
  }

  usage(): CgroupUsage {
    const folder = this.#folder;
    const peak = (file: string) => (existsSync(join(folder, file)) ? readNumber(folder, file) : 0);
    return {
      oomKills: readField(folder, 'memory.events', 'oom_kill'),
      forksRefused: readField(folder, 'pids.events', 'max'),
      cpuMs: this.cpuMs(),
      // Since Linux 5.19 and 6.1.
      memoryPeakBytes: peak('memory.peak'),
      processesPeak: peak('pids.peak'),
    };
  }

  release(): void {
    closeSync(this.entry.v2Directory);
    remove(this.#folder);
  }
}
