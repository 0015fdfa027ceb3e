import { sharedLibrary } from '../../native.js';
import { scriptEnvironment } from '../environment.js';
import { workerLimits } from '../limits.js';
import type { ProcessRuntime } from '../runtimes/runtime.js';
import type { SpawnPlan } from '../spawn-plan.js';

/** Processes held ready for one sort of demand, at most. */
export function readyMax(slots: number): number {
  return Math.min(slots, workerLimits.readyMax);
}

/**
 * Prepared processes that there may be at once: those held ready for each sort of demand, and of one
 * more those that are given up and not yet gone.
 */
export function preparedMax(readyMax: number): number {
  return (workerLimits.poolsMax + 1) * readyMax;
}

/** Enclosures that there may be at once: those of runs, those of runs on their way out, and prepared ones. */
export function enclosuresMax(slots: number): number {
  return 2 * slots + preparedMax(readyMax(slots));
}

/** How the fork server of a runtime is started; undefined where it has none. */
export function forkServerPlan(runtime: ProcessRuntime): SpawnPlan | undefined {
  const argv = runtime.bootstrap?.forkServer?.(sharedLibrary());
  if (!argv) return undefined;
  // What a script finds in its environment comes with its task.
  const env = scriptEnvironment(runtime, { home: '/', temporary: '/tmp' }, undefined);
  return { file: runtime.file, argv, env, cwd: '/', stdin: 'null', limits: {} };
}
