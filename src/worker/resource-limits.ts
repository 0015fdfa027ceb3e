import { invariant } from '../invariant.js';
import type { SpawnPlan } from './spawn-plan.js';
import type { TaskFrame } from './task-frame.js';

/** Limits whose hard value is the soft one, by the name that the addon gives the resource. */
const plainLimits = {
  fileSizeBytes: 'fsize',
  openFiles: 'nofile',
  processes: 'nproc',
  addressSpaceBytes: 'as',
  stackBytes: 'stack',
} as const;

/** As in asm-generic/resource.h, which both architectures use. */
const resourceNumbers: Readonly<Record<string, number>> = {
  cpu: 0,
  fsize: 1,
  stack: 3,
  nproc: 6,
  nofile: 7,
  as: 9,
};

/** Limits as a task frame has them. @throws InvariantError when one is no whole number */
export function frameLimits(limits: SpawnPlan['limits']): TaskFrame['limits'] {
  return numbered(resourceLimits(limits));
}

/** As the addon takes them. @throws InvariantError when one is no whole number */
export function resourceLimits(limits: SpawnPlan['limits']): [string, number, number][] {
  const result: [string, number, number][] = [];
  for (const field of Object.keys(plainLimits) as (keyof typeof plainLimits)[]) {
    const value = limits[field];
    if (value !== undefined) result.push([plainLimits[field], value, value]);
  }
  // A second between the two, for a program that wants to say something on SIGXCPU.
  const seconds = limits.cpuSeconds;
  if (seconds !== undefined) result.push(['cpu', seconds, seconds + 1]);
  for (const [resource, soft] of result) {
    invariant(Number.isSafeInteger(soft) && soft >= 0, `limit ${resource}: ${soft}`);
  }
  return result;
}

/** Limits as task frames and plans have them. */
export function numbered(
  limits: readonly (readonly [resource: string, soft: number, hard: number])[],
): TaskFrame['limits'] {
  return limits.map(([name, soft, hard]) => [resourceNumbers[name] ?? 0, soft, hard]);
}
