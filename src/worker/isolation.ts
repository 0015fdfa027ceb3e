import { ScriptdError } from '../errors.js';
import { findCgroups } from './cgroup/find.js';
import type { WorkRoot } from './directory.js';
import type { Isolation, IsolationLevel } from './enclosure.js';
import { PlainIsolation } from './plain-isolation.js';
import type { Runtime } from './runtimes/runtime.js';
import { type LayerReport, supportedLayers } from './sandbox.js';
import { StrictIsolation } from './strict-isolation.js';

/** User and group ids from here on are nobody's, unless the configuration says otherwise. */
export const firstScriptIdDefault = 1_900_000_000;

type Layer = Pick<LayerReport, 'detail'> & { name: LayerReport['name'] | 'cgroup' };

export interface IsolationOptions {
  name: string;
  slots: number;
  isolation?: IsolationLevel;
  firstScriptId?: number;
}

/**
 * Sets up the isolation that was asked for, or says what this host lacks for it. It is a floor:
 * nothing weaker is taken instead.
 *
 * @throws ScriptdError ISOLATION_UNAVAILABLE
 */
export function createIsolation(
  options: IsolationOptions,
  runtime: Runtime,
  root: WorkRoot,
): Isolation {
  const { name, slots, isolation = 'none', firstScriptId = firstScriptIdDefault } = options;
  if (isolation === 'none' || runtime.kind === 'noop') return new PlainIsolation(root);
  const cgroups = findCgroups(`scriptd-${name}`);
  const missing: Layer[] = supportedLayers().filter(({ available }) => !available);
  if (!('version' in cgroups)) missing.push({ name: 'cgroup', detail: cgroups.detail });
  if (missing.length > 0 || !('version' in cgroups)) {
    if ('version' in cgroups) cgroups.close();
    const lacking = missing.map(({ name: layer, detail }) => `${layer} (${detail})`).join('; ');
    throw new ScriptdError(
      'ISOLATION_UNAVAILABLE',
      `isolation strict cannot be had on this host: ${lacking}; --isolation none runs without it`,
    );
  }
  return new StrictIsolation(runtime, cgroups, firstScriptId, slots);
}
