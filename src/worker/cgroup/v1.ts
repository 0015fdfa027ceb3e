import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost, CgroupLimits, CgroupUsage, RunCgroup } from './cgroup.js';
import {
  killAllIn,
  make,
  OpenFile,
  remove,
  removeEmptyChildren,
  removeIfEmpty,
  runPrefix,
  write,
  writeIfThere,
} from './files.js';

const controllers = ['memory', 'pids', 'cpuacct', 'cpu'] as const;
type Controller = (typeof controllers)[number];
/** cpu is gone without where it is not mounted. */
export type V1Folders = Record<Exclude<Controller, 'cpu'>, string> & { cpu?: string };

/** Of all runs of a worker against the parts of scriptd and what else is beside them: half of the usual. */
const cpuShares = 512;

/**
 * cgroup v1: a folder of the worker in each hierarchy, and in it one for each run.
 *
 * Source: Documentation/admin-guide/cgroup-v1 of the Linux kernel
 */
export class V1Host implements CgroupHost {
  readonly version = 1;
  readonly controllers: readonly Controller[];
  readonly #folders: V1Folders;
  readonly #prefix = runPrefix();
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
      const parent = parents[controller];
      if (parent === undefined) continue;
      const folder = join(parent, name);
      if (!existsSync(folder)) make(folder);
      removeEmptyChildren(folder);
      folders[controller] = folder;
    }
    if (folders.cpu !== undefined) write(folders.cpu, 'cpu.shares', cpuShares);
    this.#folders = folders;
    this.controllers = controllers.filter((controller) => folders[controller] !== undefined);
  }

  create(limits: CgroupLimits): RunCgroup {
    const name = `${this.#prefix}${++this.#created}`;
    const folders = {} as V1Folders;
    const made: string[] = [];
    const procs: number[] = [];
    const counters: Counters = {};
    try {
      for (const controller of controllers) {
        const parent = this.#folders[controller];
        if (parent === undefined) continue;
        const folder = join(parent, name);
        folders[controller] = folder;
        if (made.includes(folder)) continue;
        make(folder);
        made.push(folder);
        procs.push(openSync(join(folder, 'cgroup.procs'), 'w'));
      }
      limit(folders, undefined, limits);
      openCounters(folders, counters);
    } catch (error) {
      for (const fd of procs) closeSync(fd);
      closeCounters(counters);
      for (const folder of made) remove(folder);
      throw error;
    }
    return new V1Run(folders, made, procs, counters, limits);
  }

  close(): boolean {
    let isGone = true;
    for (const folder of new Set(Object.values(this.#folders))) {
      removeEmptyChildren(folder);
      isGone = removeIfEmpty(folder) && isGone;
    }
    return isGone;
  }
}

class V1Run implements RunCgroup {
  readonly entry: { v1Procs: readonly number[] };
  readonly #folders: V1Folders;
  readonly #made: readonly string[];
  readonly #counters: Counters;
  #limits: CgroupLimits;
  #closed = false;

  constructor(
    folders: V1Folders,
    made: readonly string[],
    v1Procs: readonly number[],
    counters: Counters,
    limits: CgroupLimits,
  ) {
    this.#limits = limits;
    this.#counters = counters;
    this.#folders = folders;
    this.#made = made;
    this.entry = { v1Procs };
  }

  limit(limits: CgroupLimits): void {
    limit(this.#folders, this.#limits, limits);
    this.#limits = limits;
  }

  cpuMs(): number {
    return (this.#counters.cpu?.number() ?? 0) / 1e6;
  }

  usage(): CgroupUsage {
    const { oom, forks, memoryPeak, processesPeak } = this.#counters;
    return {
      oomKills: oom?.field('oom_kill') ?? 0,
      forksRefused: forks?.field('max') ?? 0,
      cpuMs: this.cpuMs(),
      memoryPeakBytes: memoryPeak?.number() ?? 0,
      processesPeak: processesPeak?.number() ?? 0,
    };
  }

  kill(): void {
    // What is in one hierarchy is in all of them.
    killAllIn(this.#folders.pids);
  }

  release(): void {
    if (!this.#closed) {
      this.#closed = true;
      for (const fd of this.entry.v1Procs) closeSync(fd);
      closeCounters(this.#counters);
    }
    for (const folder of this.#made) remove(folder);
  }
}

/** What the kernel counts, as files that stay open while the cgroup is there. */
interface Counters {
  cpu?: OpenFile;
  oom?: OpenFile;
  forks?: OpenFile;
  memoryPeak?: OpenFile;
  processesPeak?: OpenFile | undefined;
}

/** @param counters takes what was opened, so that it can be closed when one cannot */
function openCounters({ memory, pids, cpuacct }: V1Folders, counters: Counters): void {
  counters.cpu = new OpenFile(cpuacct, 'cpuacct.usage');
  counters.oom = new OpenFile(memory, 'memory.oom_control');
  counters.forks = new OpenFile(pids, 'pids.events');
  counters.memoryPeak = new OpenFile(memory, 'memory.max_usage_in_bytes');
  // Kernels before 6.12 do not count it in v1.
  counters.processesPeak = OpenFile.ifThere(pids, 'pids.peak');
}

function closeCounters(counters: Counters): void {
  for (const file of Object.values(counters)) file?.close();
}

/** Writes the limits that are other than before. */
function limit(folders: V1Folders, before: CgroupLimits | undefined, after: CgroupLimits): void {
  const { memoryBytes, processes } = after;
  if (memoryBytes !== before?.memoryBytes) limitMemory(folders.memory, before, memoryBytes);
  if (processes !== before?.processes) write(folders.pids, 'pids.max', processes);
}

/** Memory and swap together: none of what is over goes to swap. They are never less than memory. */
function limitMemory(folder: string, before: CgroupLimits | undefined, bytes: number): void {
  const memory = () => write(folder, 'memory.limit_in_bytes', bytes);
  const withSwap = () => {
    if (!writeIfThere(folder, 'memory.memsw.limit_in_bytes', bytes)) {
      writeIfThere(folder, 'memory.swappiness', 0);
    }
  };
  const raised = before !== undefined && bytes > before.memoryBytes;
  for (const step of raised ? [withSwap, memory] : [memory, withSwap]) step();
}
