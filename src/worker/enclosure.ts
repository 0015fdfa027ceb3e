import type { IsolationLevel } from '../isolation.js';
import type { Limits, Network } from '../task.js';
import type { CgroupUsage } from './cgroup/cgroup.js';
import type { Collected, CollectOrder } from './collect.js';
import type { ExecuteMessage } from './queue.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { SpawnPlan } from './spawn-plan.js';

/** What an enclosure is made for, when the task itself is not known yet. */
export interface Demand {
  limits: Limits;
  network: Network;
  /** Variables that the process must have from its start on. */
  env?: Readonly<Record<string, string>>;
}

/** What surrounds one run. */
export interface Enclosure {
  readonly plan: SpawnPlan;
  /** The script's HOME and TMPDIR, as it sees them. */
  readonly folders: { home: string; temporary: string };
  /** What its processes lay upon themselves for a task with these limits, beside what it has. */
  rlimits(limits: Limits): SpawnPlan['limits'];
  /**
   * A task comes into it: from here on its limits hold, and what it uses is counted.
   *
   * @throws Error of node:fs when the kernel refuses them
   */
  admit(limits: Limits): void;
  /** Processor time since then of all its processes; absent where nothing counts them together. */
  readonly cpuMs: (() => number) | undefined;
  /** Takes the files that the script left; absent where its init hands them out itself. */
  readonly collect: ((order: CollectOrder) => Promise<Collected>) | undefined;
  /** What was counted since then; absent where nothing counts. */
  readonly usage: (() => CgroupUsage) | undefined;
  /** Called once, when nothing runs in it any more: lets go of it. */
  leave(): void;
}

/** How a worker surrounds its runs. */
export interface Isolation {
  readonly level: IsolationLevel;
  /**
   * Makes a place for one run. With a task it is for that task alone, and its plan holds all of it;
   * without one, its process waits for a task frame.
   *
   * @throws Error with `code` and `syscall` when the host refuses something.
   */
  enclose(runtime: ProcessRuntime, demand: Demand, task?: ExecuteMessage): Enclosure;
  /** True when a process of this runtime can be started before its task is known. */
  canPrepare(runtime: ProcessRuntime): boolean;
  /**
   * Names what is fixed when an enclosure is made: one that was prepared for the same text serves a
   * task that demands this.
   */
  keyOf(runtime: ProcessRuntime, demand: Demand): string;
  /** Resolves when nothing of earlier runs is being removed any more. */
  settled(): Promise<void>;
  close(): void;
}
