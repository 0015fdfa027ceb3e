import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost, CgroupLimits, CgroupUsage, RunCgroup } from './cgroup.js';
import {
  killAllIn,
  make,
  readField,
  readNumber,
  remove,
  removeEmptyChildren,
  removeIfEmpty,
  runPrefix,
  write,
  writeIfThere,
} from './files.js';

/** Of all runs of a worker against the parts of scriptd beside them: half of the usual. */
const cpuWeight = 50;

/**
 * cgroup v2: one folder of the worker, without processes of its own, and in it one for each run.
 *
 * Source: Documentation/admin-guide/cgroup-v2.rst of the Linux kernel
 */
export class V2Host implements CgroupHost {
  readonly version = 2;
  readonly controllers: readonly string[];
  readonly #folder: string;
  readonly #prefix = runPrefix();
  #created = 0;

  /**
   * @param parent a cgroup whose children have memory and pids, and cpu where it has that itself
   * @param name of the worker's folder there
   * @throws Error of node:fs when it may not make one
   */
  constructor(parent: string, name: string) {
    this.#folder = join(parent, name);
    if (!existsSync(this.#folder)) make(this.#folder);
    removeEmptyChildren(this.#folder);
    // With cpu each run gets the same share, however many processes it has.
    const available = readFileSync(join(this.#folder, 'cgroup.controllers'), 'utf8').split(/\s+/);
    const wanted = ['memory', 'pids', ...(available.includes('cpu') ? ['cpu'] : [])];
    this.controllers = wanted;
    write(this.#folder, 'cgroup.subtree_control', wanted.map((name) => `+${name}`).join(' '));
    writeIfThere(this.#folder, 'cpu.weight', cpuWeight);
  }

  create(limits: CgroupLimits): RunCgroup {
    const folder = join(this.#folder, `${this.#prefix}${++this.#created}`);
    make(folder);
    try {
      limit(folder, undefined, limits);
      // Absent where the kernel has no swap accounting: then there is nothing to forbid.
      writeIfThere(folder, 'memory.swap.max', 0);
      write(folder, 'memory.oom.group', 1);
      return new V2Run(folder, openSync(folder, 'r'), limits);
    } catch (error) {
      remove(folder);
      throw error;
    }
  }

  close(): boolean {
    removeEmptyChildren(this.#folder);
    return removeIfEmpty(this.#folder);
  }
}

class V2Run implements RunCgroup {
  readonly entry: { v2Directory: number };
  readonly #folder: string;
  #limits: CgroupLimits;
  #closed = false;

  constructor(folder: string, v2Directory: number, limits: CgroupLimits) {
    this.#folder = folder;
    this.#limits = limits;
    this.entry = { v2Directory };
  }

  limit(limits: CgroupLimits): void {
    limit(this.#folder, this.#limits, limits);
    this.#limits = limits;
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

  kill(): void {
    // Since Linux 5.14.
    if (!writeIfThere(this.#folder, 'cgroup.kill', 1)) killAllIn(this.#folder);
  }

  release(): void {
    if (!this.#closed) {
      this.#closed = true;
      closeSync(this.entry.v2Directory);
    }
    remove(this.#folder);
  }
}

/** Writes the limits that are other than before. */
function limit(folder: string, before: CgroupLimits | undefined, after: CgroupLimits): void {
  const { memoryBytes, processes } = after;
  if (memoryBytes !== before?.memoryBytes) write(folder, 'memory.max', memoryBytes);
  if (processes !== before?.processes) write(folder, 'pids.max', processes);
}
