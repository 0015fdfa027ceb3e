import { limits as maxima } from '../../limits.js';
import type { Limits } from '../../task.js';
import type { Enclosure } from '../enclosure.js';
import type { CgroupLimits, CgroupUsage, RunCgroup } from './cgroup.js';

/** What a run's cgroup holds it to. */
export function cgroupLimits(limits: Limits): CgroupLimits {
  return { memoryBytes: memoryLimit(limits), processes: limits.processes };
}

/** The memory that a run in a cgroup may use. */
export function memoryLimit({ memoryBytes }: Limits): number {
  return memoryBytes ?? maxima.memoryBytesDefault;
}

/** The part of an enclosure that its cgroup keeps: what counts from the task's coming on. */
export function accountOf(
  cgroup: RunCgroup,
): Pick<Enclosure, 'admit'> & { cpuMs: () => number; usage: () => CgroupUsage } {
  let cpuBeforeMs = 0;
  return {
    admit: (limits) => {
      cgroup.limit(cgroupLimits(limits));
      cpuBeforeMs = cgroup.cpuMs();
    },
    cpuMs: () => cgroup.cpuMs() - cpuBeforeMs,
    usage: () => {
      const usage = cgroup.usage();
      return { ...usage, cpuMs: usage.cpuMs - cpuBeforeMs };
    },
  };
}
