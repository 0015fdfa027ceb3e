import type { Limits } from '../task.js';
import type { SpawnPlan } from './spawn-plan.js';
import { processLimits } from './verdict.js';

/** What a script's processes lay upon themselves, see setrlimit(2). */
export type Rlimits = (limits: Limits) => SpawnPlan['limits'];

/** Without a cgroup: memory is held down by the address space, and only when asked for. */
export const plainRlimits: Rlimits = (limits) => {
  const { memoryBytes } = limits;
  return {
    ...processLimits(limits),
    ...(memoryBytes === undefined ? {} : { addressSpaceBytes: memoryBytes }),
  };
};

/**
 * Beside a cgroup, which holds memory and processes: it has to be the one that refuses a process too
 * many, since it counts that it did. The kernel's other account comes after it.
 */
export const countedRlimits: Rlimits = (limits) => ({
  ...processLimits(limits),
  processes: limits.processes + processesBeside,
});

const processesBeside = 64;
