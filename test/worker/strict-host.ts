import { findCgroups } from '../../src/worker/cgroup/find.js';
import { missingFor, tryLayers } from '../../src/worker/layers.js';

/** Why tests at level strict are skipped on this host, or false. In CI a host that can't is a failure. */
export function lackingForStrict(): string | false {
  const cgroups = findCgroups(`scriptd-probe-${process.pid}`);
  const missing = missingFor('strict', tryLayers(cgroups));
  if ('version' in cgroups) cgroups.close();
  if (missing.length === 0 || process.env.SCRIPTD_TEST_ALL) return false;
  return `no strict isolation: ${missing.map(({ name }) => name).join(', ')}; see scriptd doctor`;
}
