import { createHash } from 'node:crypto';
import { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import type { IsolationFloor, IsolationLevel, IsolationReport } from '../isolation.js';
import type { Log } from '../log.js';
import { BasicIsolation } from './basic-isolation.js';
import type { CgroupHost } from './cgroup/cgroup.js';
import { findCgroups } from './cgroup/find.js';
import type { WorkRoot } from './directory.js';
import type { Isolation } from './enclosure.js';
import {
  activeLayers,
  explainMissing,
  type Layer,
  type LayerName,
  missingFor,
  strongestOf,
  tryLayers,
} from './layers.js';
import { workerLimits } from './limits.js';
import { PlainIsolation } from './plain-isolation.js';
import type { ProcessRuntime, Runtime } from './runtimes/runtime.js';
import { StrictIsolation } from './strict-isolation.js';

/** User and group ids from here on are nobody's, unless the configuration says otherwise. */
export const firstScriptIdDefault = 1_900_000_000;

export interface IsolationOptions {
  name: string;
  /** The least that is taken; `auto` takes the strongest that this host can do. */
  isolation: IsolationFloor;
  firstScriptId?: number;
  log: Log;
}

/** How a worker keeps its scripts apart, with what it tells of that. */
export interface ChosenIsolation {
  isolation: Isolation;
  report: IsolationReport;
  /** Why it is not strict, where that was not asked for: what is missing, and the cures. */
  lacking: string | undefined;
}

/**
 * Sets up the isolation that was asked for, or says what this host lacks for it. A level is a floor:
 * nothing weaker is taken instead.
 *
 * @param ids as many as there may be enclosures at once
 * @throws ScriptdError ISOLATION_UNAVAILABLE
 */
export function createIsolation(
  options: IsolationOptions,
  runtime: Runtime,
  root: WorkRoot,
  ids: number,
): ChosenIsolation {
  const { name, isolation: floor } = options;
  // What runs no process needs nothing around it.
  if (runtime.kind === 'noop' || floor === 'none') {
    const layers = runtime.kind === 'noop' ? [] : [...layersOfNone];
    const report: IsolationReport = { level: 'none', layers };
    return { isolation: new PlainIsolation(root), report, lacking: undefined };
  }
  const cgroups = findCgroups(cgroupName(name, root.path));
  const layers = tryLayers(cgroups);
  const host = 'version' in cgroups ? cgroups : undefined;
  try {
    const level = levelFor(floor, layers);
    const { isolation, also } = build(level, runtime, root, host, {
      first: options.firstScriptId ?? firstScriptIdDefault,
      count: ids,
      log: options.log,
    });
    const missing = floor === 'auto' ? missingFor('strict', layers) : [];
    return {
      isolation,
      report: { level, layers: activeLayers(level, layers, also) },
      lacking: missing.length > 0 ? explainMissing(missing) : undefined,
    };
  } catch (error) {
    host?.close();
    throw error;
  }
}

/** What every start has, whatever the host. */
const layersOfNone: readonly LayerName[] = ['start', 'rlimits', 'no-new-privileges'];

/** Workers of one name, each of a service of its own, have each their own work directory. */
export function cgroupName(worker: string, workDirectory: string): string {
  const service = createHash('sha256').update(workDirectory).digest('hex').slice(0, 8);
  return `scriptd-${worker}-${service}`;
}

/** The strongest level that this host can do, and what is missing for strict. */
export function strongestHere(): { level: IsolationLevel; lacking: string | undefined } {
  const cgroups = findCgroups(`scriptd-probe-${process.pid}`);
  try {
    const layers = tryLayers(cgroups);
    const missing = missingFor('strict', layers);
    return {
      level: strongestOf(layers),
      lacking: missing.length > 0 ? explainMissing(missing) : undefined,
    };
  } finally {
    if ('version' in cgroups) cgroups.close();
  }
}

/** @throws ScriptdError ISOLATION_UNAVAILABLE when the floor cannot be had */
export function levelFor(floor: IsolationFloor, layers: readonly Layer[]): IsolationLevel {
  if (floor === 'auto') return strongestOf(layers);
  const missing = missingFor(floor, layers);
  if (missing.length === 0) return floor;
  throw new ScriptdError(
    'ISOLATION_UNAVAILABLE',
    `isolation ${floor} cannot be had on this host, which lacks ${explainMissing(missing)}; ` +
      `what it can do is ${strongestOf(layers)} (scriptd doctor explains it): ` +
      `--isolation auto takes that`,
  );
}

function build(
  level: IsolationLevel,
  runtime: ProcessRuntime,
  root: WorkRoot,
  cgroups: CgroupHost | undefined,
  ids: { first: number; count: number; log: Log },
): { isolation: Isolation; also: readonly LayerName[] } {
  switch (level) {
    case 'none':
      cgroups?.close();
      return { isolation: new PlainIsolation(root), also: [] };
    case 'basic': {
      const isolation = new BasicIsolation(runtime, root, cgroups, {
        ...ids,
        count: workerLimits.scriptIds,
      });
      return { isolation, also: isolation.also };
    }
    case 'strict': {
      invariant(cgroups, 'strict is not chosen without cgroups');
      return { isolation: new StrictIsolation(runtime, cgroups, ids), also: [] };
    }
  }
}
