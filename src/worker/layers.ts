import { spawnSync } from 'node:child_process';
import { type IsolationLevel, isolationLevels, type LayerName } from '../isolation.js';
import type { CgroupEntry, CgroupHost } from './cgroup/cgroup.js';
import type { CgroupMissing } from './cgroup/find.js';
import {
  cgroupCure,
  landlockCure,
  namespaceCure,
  rootCure,
  type Surroundings,
  seccompCure,
  surroundings,
} from './cures.js';
import { type ProbeFailure, probeStart } from './probe.js';
import { addon, errnoName } from './sandbox-addon.js';
import type { SpawnPlan } from './spawn-plan.js';

export type { LayerName } from '../isolation.js';

/** One layer, and whether this host can do it: tried, not guessed. */
export interface Layer {
  name: LayerName;
  /** Levels that need it. */
  neededBy: readonly IsolationLevel[];
  available: boolean;
  /** What there is; or which call was refused, and how. */
  detail: string;
  /** What would bring it, when it is not available. */
  cure?: string;
}

const everywhere: readonly IsolationLevel[] = isolationLevels;
const fromBasic: readonly IsolationLevel[] = ['basic', 'strict'];
const strictOnly: readonly IsolationLevel[] = ['strict'];

/** Those that the clone makes, all at once. */
const cloned = ['user', 'pid', 'mount', 'ipc', 'uts'] as const;

/** Tries every layer: four starts of a program that is not there, a few milliseconds each. */
export function tryLayers(cgroups: CgroupHost | CgroupMissing): Layer[] {
  const where = surroundings();
  const plain = probeStart({});
  const strict = probeStart({ strict: strictPlan({}) });
  const basic = probeStart({ basic: { landlock: 'if-available', readOnly: ['/'], writable: [] } });
  return [
    ...plainLayers(plain),
    ...strictLayers(strict, where),
    landlockLayer(),
    seccompLayer(basic),
    cgroupLayer(cgroups, strict, where),
  ];
}

/** The layers that a level needs and this host cannot do. */
export function missingFor(level: IsolationLevel, layers: readonly Layer[]): Layer[] {
  return layers.filter(({ available, neededBy }) => !available && neededBy.includes(level));
}

/** The strongest level that nothing is missing for. */
export function strongestOf(layers: readonly Layer[]): IsolationLevel {
  const possible = isolationLevels.filter((level) => missingFor(level, layers).length === 0);
  return possible.at(-1) ?? 'none';
}

/** Names of the layers that a run at this level has; `also` those that it has beyond need. */
export function activeLayers(
  level: IsolationLevel,
  layers: readonly Layer[],
  also: readonly LayerName[] = [],
): LayerName[] {
  return layers
    .filter(({ available, neededBy, name }) => {
      return available && (neededBy.includes(level) || also.includes(name));
    })
    .map(({ name }) => name);
}

/** `landlock (ENOSYS …): cure`, one after the other. */
export function explainMissing(missing: readonly Layer[]): string {
  return missing
    .map(({ name, detail, cure }) => `${name} (${detail})${cure ? `: ${cure}` : ''}`)
    .join('; ');
}

function strictPlan(cgroup: CgroupEntry): NonNullable<SpawnPlan['strict']> {
  const capacity = { bytes: 4096, inodes: 8 };
  return {
    ...{ uid: 65_534, gid: 65_534, readOnly: [], files: [], network: 'none', cgroup },
    ...{ directory: capacity, tmp: capacity, shm: capacity, landlock: 'if-available' },
  };
}

function plainLayers(failure: ProbeFailure | undefined): Layer[] {
  const works = (steps: readonly string[], detail: string) =>
    failure && steps.includes(failure.step)
      ? { available: false, detail: failure.message, cure: 'Linux 5.6 or newer' }
      : { available: true, detail };
  const start = ['clone3', 'clone', 'start', 'setsid', 'dup3', 'close_range', 'chdir'];
  return [
    {
      ...{ name: 'start', neededBy: everywhere },
      ...works(start, 'clone3 with a pidfd, a session of its own, no inherited descriptor'),
    },
    { ...{ name: 'rlimits', neededBy: everywhere }, ...works(['prlimit64'], 'setrlimit') },
    { ...{ name: 'no-new-privileges', neededBy: everywhere }, ...works(['prctl'], 'prctl') },
  ];
}

/** Steps of a strict start after the clone, in their order, and the layer that each belongs to. */
const stepsInside: readonly (readonly [LayerName, readonly string[]])[] = [
  ['cgroup-namespace', ['cgroup']],
  ['network', ['network']],
  [
    'root',
    [
      ...['mount-namespace', 'tmpfs', 'root', 'read-only', 'devices', 'proc', 'pivot_root'],
      ...['hostname', 'files'],
    ],
  ],
  ['identity', ['limits', 'identity', 'close_range']],
];
const stepsOfClone = ['clone3', 'clone', 'uid_map', 'capset', 'start'];

const descriptions: Partial<Record<LayerName, string>> = {
  user: 'ordinary users get the right to the others from it',
  pid: 'its own processes only, all gone when the first is',
  mount: 'its own mounts',
  ipc: 'its own System V objects and message queues',
  uts: 'its own host name',
  'cgroup-namespace': 'its own cgroup is the root that it sees',
  network: 'a loopback that is down, nothing else',
  root: 'pivot_root, read-only system, /tmp and /work in memory',
  identity: 'user id of its own, no capability',
};

function strictLayers(failure: ProbeFailure | undefined, where: Surroundings): Layer[] {
  const layer = (name: LayerName, refused?: string, cure?: string): Layer => ({
    ...{ name, neededBy: strictOnly, available: refused === undefined },
    detail: refused ?? descriptions[name] ?? '',
    ...(refused !== undefined && cure !== undefined && { cure }),
  });
  // Root needs no user namespace.
  const clonedHere = cloned.filter((name) => name !== 'user' || !where.isRoot);
  if (failure && stepsOfClone.includes(failure.step)) {
    const cure = namespaceCure(where);
    const single = clonedHere.map((name) => layer(name, refusalOf(name, failure, where), cure));
    const later = stepsInside.map(([name]) =>
      layer(name, 'not tried: it needs the namespaces above'),
    );
    return [...single, ...later];
  }
  const failedAt = stepsInside.findIndex(([, steps]) => failure && steps.includes(failure.step));
  const inside = stepsInside.map(([name], index) => {
    if (failedAt < 0 || index < failedAt) return layer(name);
    if (index > failedAt)
      return layer(name, `not tried: it comes after ${stepsInside[failedAt]?.[0]}`);
    const cure = name === 'root' ? rootCure(where) : namespaceCure(where);
    return layer(name, failure?.message, cure);
  });
  return [...clonedHere.map((name) => layer(name)), ...inside];
}

const unshareFlags = { user: '--user', pid: '--pid', mount: '--mount', ipc: '--ipc', uts: '--uts' };
const unshareMsMax = 5_000;

/**
 * Why this one of the namespaces is refused, tried alone with unshare(1); undefined when it is not.
 * Where there is no such program, all are as refused as the clone was that makes them together.
 */
function refusalOf(
  name: (typeof cloned)[number],
  together: ProbeFailure,
  { isRoot }: Surroundings,
): string | undefined {
  const first = isRoot ? [] : ['--user', '--map-root-user'];
  const args = [...new Set([...first, unshareFlags[name]]), '--fork', 'true'];
  const { status, stderr, error } = spawnSync('unshare', args, {
    ...{ encoding: 'utf8', timeout: unshareMsMax, stdio: ['ignore', 'ignore', 'pipe'] },
  });
  if (error) return together.message;
  if (status === 0) return undefined;
  return stderr.trim().split('\n')[0] || `unshare ${args[0]} ended with ${status}`;
}

function landlockLayer(): Layer {
  const version = addon.landlockVersion();
  const available = version > 0;
  return {
    ...{ name: 'landlock', neededBy: fromBasic, available },
    detail: available
      ? `version ${version}: the same files, as a second wall`
      : errnoName(-version),
    ...(!available && { cure: landlockCure }),
  };
}

function seccompLayer(basic: ProbeFailure | undefined): Layer {
  const failed = basic?.message;
  return {
    ...{ name: 'seccomp', neededBy: fromBasic, available: failed === undefined },
    detail: failed ?? 'system calls that a script has no use for are refused',
    ...(failed && { cure: seccompCure }),
  };
}

function cgroupLayer(
  cgroups: CgroupHost | CgroupMissing,
  strict: ProbeFailure | undefined,
  where: Surroundings,
): Layer {
  const name = 'cgroup';
  const missing = (detail: string): Layer => ({
    ...{ name, neededBy: strictOnly, available: false, detail, cure: cgroupCure(where) },
  });
  if (!('version' in cgroups)) return missing(cgroups.detail);
  const refused = entering(cgroups, strict === undefined);
  if (refused !== undefined) return missing(refused);
  const detail = `v${cgroups.version}: ${cgroups.controllers.join(', ')}`;
  return { name, neededBy: strictOnly, available: true, detail };
}

/** Why no process can be started in a cgroup of ours; undefined when one can. */
function entering(cgroups: CgroupHost, isStrictPossible: boolean): string | undefined {
  try {
    const cgroup = cgroups.create({ memoryBytes: 16 << 20, processes: 8 });
    try {
      if (!isStrictPossible) return undefined;
      return probeStart({ strict: strictPlan(cgroup.entry) })?.message;
    } finally {
      cgroup.release();
    }
  } catch (error) {
    return (error as Error).message;
  }
}
