/** What a run may use, as its cgroup holds it to. */
export interface CgroupLimits {
  memoryBytes: number;
  processes: number;
}

/** What a cgroup counted of everything that ran in it. */
export interface CgroupUsage {
  /** Processes that the kernel killed because the memory limit was reached. */
  oomKills: number;
  /** Times that a process or thread was refused because of the limit on their number. */
  forksRefused: number;
  cpuMs: number;
  memoryPeakBytes: number;
  processesPeak: number;
}

/** Descriptors by which a new process gets into a cgroup; see StrictPlan. */
export interface CgroupEntry {
  v2Directory?: number;
  v1Procs?: readonly number[];
}

/** The cgroup of one run. */
export interface RunCgroup {
  /** Owned by this; valid until `release`. */
  readonly entry: CgroupEntry;
  /**
   * Holds it to other limits from here on.
   *
   * @throws Error of node:fs, e.g. EBUSY (v1) when more memory is in use than would be allowed
   */
  limit(limits: CgroupLimits): void;
  /** Processor time so far, of all processes that were ever in it. */
  cpuMs(): number;
  usage(): CgroupUsage;
  /** Kills all that is in it; nothing more gets into it. It takes them a moment to be gone. */
  kill(): void;
  /**
   * Removes it; its descriptors are closed whatever comes of that, and it may be called again.
   *
   * @throws Error of node:fs, EBUSY while something runs in it
   */
  release(): void;
}

/** Where a worker makes the cgroups of its runs. */
export interface CgroupHost {
  readonly version: 1 | 2;
  /** What it holds runs to: memory and pids, and cpu where that is to be had. */
  readonly controllers: readonly string[];
  /** @throws Error of node:fs when the kernel refuses it. */
  create(limits: CgroupLimits): RunCgroup;
  /**
   * Removes what the worker made for itself.
   *
   * @returns false where something runs in it still: that stays for the next worker of this name
   */
  close(): boolean;
}

/** For the log, where `CgroupHost.close` says so. */
export const cgroupsStay = 'something runs in a cgroup of this worker still, which stays';
