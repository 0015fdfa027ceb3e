import { type Static, Type } from 'typebox';
import { MapOf } from '../schema.js';

const workersMax = 10_000;
const loadPerSlot = Type.Number({ minimum: 0.01, maximum: 1_000 });

/** How the number of workers of one type follows the load. */
export const ScalingSetting = Type.Object(
  {
    /** Workers without any load; 0: the first task starts one. */
    min: Type.Integer({ minimum: 0, maximum: workersMax }),
    max: Type.Integer({ minimum: 1, maximum: workersMax }),
    /** Tasks, running or ready to run, for each slot: above it workers are added. Default 1. */
    upLoad: Type.Optional(loadPerSlot),
    /** Below it workers are taken away. Default 0.7, or 0.7 of `upLoad`. */
    downLoad: Type.Optional(loadPerSlot),
    /** Fewer workers must have been enough for so long before one is taken away. Default 60 s. */
    cooldownMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400_000 })),
  },
  { additionalProperties: false },
);
export type ScalingSetting = Static<typeof ScalingSetting>;

/** As Kubernetes knows it; the API server judges the rest. */
const PodTemplate = Type.Object(
  {
    metadata: Type.Optional(MapOf(Type.Unknown())),
    spec: MapOf(Type.Unknown()),
  },
  { additionalProperties: false },
);

/** Where workers are pods. */
export const KubernetesSetting = Type.Object(
  {
    /** Of the workers' pods. Default: that of the controller's own. */
    namespace: Type.Optional(Type.String({ minLength: 1 })),
    /** Name of the controller's own pod, whose the workers' pods are. Default: the host name. */
    controllerPod: Type.Optional(Type.String()),
    /** Where workers listen, on the address of their pod. */
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
    /** A pod whose worker is not connected after so long is given up. Milliseconds. */
    startMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
    /** What workers' pods are made from; its container `worker` gets the arguments. */
    pod: Type.Optional(PodTemplate),
    /** The same for some types, instead. */
    podOfType: Type.Optional(MapOf(PodTemplate)),
  },
  { additionalProperties: false },
);
export type KubernetesSetting = Static<typeof KubernetesSetting>;
