import type { IsolationLevel } from '../isolation.js';
import type { CgroupUsage } from './cgroup/cgroup.js';
import type { ExecuteMessage } from './queue.js';
import type { ProcessRuntime } from './runtimes/runtime.js';
import type { SpawnPlan } from './sandbox.js';

/** What surrounds one run. */
export interface Enclosure {
  readonly plan: SpawnPlan;
  /** Processor time so far of all its processes; absent where nothing counts them together. */
  readonly cpuMs: (() => number) | undefined;
  /** Called once, when nothing runs in it any more: lets go of it, and says what it counted. */
  leave(): CgroupUsage | undefined;
}

/** How a worker surrounds its runs. */
export interface Isolation {
  readonly level: IsolationLevel;
  /** @throws Error with `code` and `syscall` when the host refuses something. */
  enclose(runtime: ProcessRuntime, task: ExecuteMessage): Enclosure;
  /** Resolves when nothing of earlier runs is being removed any more. */
  settled(): Promise<void>;
  close(): void;
}
