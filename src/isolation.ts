import { type Static, Type } from 'typebox';
import { OneOf } from './schema.js';

/** How much a script is kept apart from its host, the weakest first. docs/SECURITY.md: what each promises. */
export const isolationLevels = ['none', 'basic', 'strict'] as const;
export type IsolationLevel = (typeof isolationLevels)[number];

/** What may be asked for: a level is a floor, `auto` takes the strongest that the host can do. */
export const isolationFloors = [...isolationLevels, 'auto'] as const;
export type IsolationFloor = (typeof isolationFloors)[number];

/** What a run can be surrounded with, in the order in which it is. docs/SECURITY.md explains each. */
export const layerNames = [
  'start',
  'rlimits',
  'no-new-privileges',
  'user',
  'pid',
  'mount',
  'ipc',
  'uts',
  'cgroup-namespace',
  'network',
  'root',
  'identity',
  'landlock',
  'seccomp',
  'cgroup',
] as const;
export type LayerName = (typeof layerNames)[number];

/** How a worker really keeps its scripts apart. */
export const IsolationReport = Type.Object(
  {
    level: OneOf(isolationLevels),
    /** Names of the layers that every run has, as `scriptd doctor` lists them. */
    layers: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }), { maxItems: 64 }),
  },
  { additionalProperties: false },
);
export type IsolationReport = Static<typeof IsolationReport>;
