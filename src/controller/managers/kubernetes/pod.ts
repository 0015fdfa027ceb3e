import type { Address } from '../../../poll/address.js';
import type { WorkerSight } from '../../../scaling/policy.js';
import type { TypeLoad, WorkerPlace } from '../../manager.js';
import type { PodSight } from './pod-sight.js';

/** One worker's pod and what the manager did about it. Times are monotonic milliseconds. */
export class Pod {
  readonly name: string;
  readonly type: string;
  /** As the API server told it last; undefined until it did. */
  sight: PodSight | undefined;
  /** What the controller was told of: it connects there. */
  place: WorkerPlace | undefined;
  /** Made by this manager. Of others it is not known what they do before they are connected. */
  readonly own: boolean;
  /** When this manager first knew of it. */
  readonly knownAtMs: number;
  /** When its worker was last connected, and since when it is or was, gaps apart. */
  connectedAtMs: number | undefined;
  upSinceMs: number | undefined;
  /** Told to finish what it has and go. */
  drained = false;
  /** When its deletion was last asked for. */
  deletedAtMs: number | undefined;

  constructor(name: string, type: string, own: boolean, nowMs: number) {
    this.own = own;
    this.name = name;
    this.type = type;
    this.knownAtMs = nowMs;
  }

  /** Whoever asked for it, its end is no failure. */
  get dismissed(): boolean {
    return this.drained || this.deletedAtMs !== undefined || this.sight?.endsAtMs !== undefined;
  }

  get leaving(): boolean {
    const state = this.sight?.state;
    return this.deletedAtMs !== undefined || (state !== undefined && leaving.has(state));
  }

  /** How the policy sees it. */
  workerSight(template: string, load: TypeLoad): WorkerSight {
    const worker = load.workers.get(this.name);
    return {
      name: this.name,
      phase: this.#phase(worker?.draining ?? false),
      busy: worker?.busy,
      outdated: this.sight !== undefined && this.sight.template !== template,
      madeAtMs: this.knownAtMs,
      upSinceMs: this.upSinceMs,
    };
  }

  #phase(draining: boolean): WorkerSight['phase'] {
    if (this.leaving) return 'ending';
    if (this.drained || draining) return 'draining';
    return this.own && this.connectedAtMs === undefined ? 'starting' : 'up';
  }

  /** @param port where workers listen */
  placeAt(ip: string, slots: number, port: number): WorkerPlace {
    const address: Address = { kind: 'tcp', host: ip, port };
    return { name: this.name, type: this.type, slots, address, local: false };
  }
}

const leaving: ReadonlySet<PodSight['state']> = new Set(['broken', 'done', 'ending']);
