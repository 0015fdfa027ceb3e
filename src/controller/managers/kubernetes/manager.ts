import { randomBytes } from 'node:crypto';
import type { V1OwnerReference, V1Pod } from '@kubernetes/client-node';
import { Backoff } from '../../../backoff.js';
import { errorMessage } from '../../../errors.js';
import type { Log } from '../../../log.js';
import type { ScalingRule } from '../../../scaling/rule.js';
import { Scaler } from '../../../scaling/scaler.js';
import type { PlaceHandlers, TypeLoad, WorkerManager, WorkerPlace } from '../../manager.js';
import { isFault } from './api-fault.js';
import { kubernetesLimits } from './limits.js';
import { ownersOf } from './owners.js';
import { Pod } from './pod.js';
import type { PodApi } from './pod-api.js';
import { podSight } from './pod-sight.js';
import { type PodMould, podOf, templateHash, withImage } from './pod-template.js';
import { PodWatch } from './pod-watch.js';

export interface KubernetesManagerOptions {
  api: PodApi;
  /** Name of the controller's own pod; empty when it runs in none: then its pods have no owner. */
  controllerPod: string;
  moulds: ReadonlyMap<string, PodMould>;
  rules: ReadonlyMap<string, ScalingRule>;
  /** A pod whose worker has not been connected for so long is given up. Milliseconds. */
  startMs: number;
  log: Log;
}

/**
 * Workers as bare pods, one type each. As many as the load needs; a broken one is deleted, not
 * mended. Pods outlive the controller: the next one finds them by their label.
 */
export class KubernetesManager implements WorkerManager {
  readonly types: readonly string[];
  drain: (name: string) => void = () => undefined;
  readonly #options: KubernetesManagerOptions;
  readonly #watch: PodWatch;
  readonly #scaler: Scaler;
  /** Known, as are the owners, once the controller's own pod was read. */
  #moulds: ReadonlyMap<string, PodMould> = new Map();
  readonly #pods = new Map<string, Pod>();
  /** Since the last decision, by type. */
  readonly #failures = new Map<string, number>();
  #owners: readonly V1OwnerReference[] | undefined;
  #handlers: PlaceHandlers | undefined;
  #findAtMs = 0;
  readonly #backoff = new Backoff(kubernetesLimits.retryMsMin, kubernetesLimits.retryMsMax);
  #stopped = false;

  constructor(options: KubernetesManagerOptions) {
    this.#options = options;
    this.types = [...options.moulds.keys()];
    this.#scaler = new Scaler(options.rules);
    this.#watch = new PodWatch(options.api, options.log, {
      onList: (pods) => this.#listed(pods),
      onPod: (pod) => this.#seen(pod),
      onGone: (pod) => this.#gone(pod.metadata?.name ?? ''),
    });
  }

  mayLack(type: string): boolean {
    return this.#scaler.rules.get(type)?.min === 0;
  }

  start(handlers: PlaceHandlers): void {
    this.#handlers = handlers;
    this.#watch.start();
  }

  ensure(): void {
    // Its pod may be starting. Whoever does not answer for too long is found by `load`.
  }

  replace({ name }: WorkerPlace): void {
    const pod = this.#pods.get(name);
    if (pod) this.#giveUp(pod, 'its worker does not answer');
  }

  retire(name: string): void {
    const pod = this.#pods.get(name);
    if (pod) pod.drained = true;
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
  }

  async finish(): Promise<void> {
    this.stop();
  }

  load(types: readonly TypeLoad[]): void {
    if (this.#stopped) return;
    const known = this.#watch.current;
    if (this.#owners === undefined) void this.#findSelf();
    for (const load of types) {
      const pods = [...this.#pods.values()].filter(({ type }) => type === load.type);
      for (const pod of pods) this.#reconcile(pod, load);
      this.#scale(load, known);
    }
  }

  #scale(load: TypeLoad, known: boolean): void {
    const { type } = load;
    const rule = this.#scaler.rules.get(type);
    const mould = this.#moulds.get(type);
    if (!rule || !mould) return;
    const hash = templateHash(mould);
    const pods = [...this.#pods.values()].filter((pod) => pod.type === type);
    const failures = this.#failures.get(type) ?? 0;
    this.#failures.delete(type);
    const { start, drain, cancel, retire } = this.#scaler.decide(type, rule, {
      nowMs: performance.now(),
      tasks: known ? load.ready + load.running : undefined,
      workers: pods.map((pod) => pod.workerSight(hash, load)),
      failures,
    });
    for (let count = 0; count < start; count++) this.#create(mould);
    for (const name of cancel) this.#cancel(name);
    for (const name of drain) this.#drain(name, 'it is idle');
    if (retire) this.#drain(retire, 'its template is not the current one');
  }

  /** What the pod is said to be, against the socket of its worker. */
  #reconcile(pod: Pod, load: TypeLoad): void {
    const nowMs = performance.now();
    const { sight } = pod;
    if (load.workers.has(pod.name)) {
      pod.connectedAtMs = nowMs;
      pod.upSinceMs ??= nowMs;
      return;
    }
    if (!sight && nowMs - pod.knownAtMs > kubernetesLimits.confirmMs) {
      this.#gone(pod.name);
    } else if (sight?.state === 'ending' && overdue(sight.endsAtMs)) {
      this.#delete(pod.name, 'its node does not end it', true);
    } else if (pod.deletedAtMs !== undefined) {
      this.#delete(pod.name, 'it is still there');
    } else if (pod.leaving) {
      return;
    } else if (pod.drained && pod.connectedAtMs !== undefined && !load.awaited.has(pod.name)) {
      this.#remove(pod);
      this.#delete(pod.name, 'its worker has finished');
    } else if (pod.connectedAtMs === undefined) {
      if (nowMs - pod.knownAtMs > this.#options.startMs) this.#giveUp(pod, 'it does not come up');
    } else if (nowMs - pod.connectedAtMs > kubernetesLimits.lostMs) {
      this.#giveUp(pod, 'its worker cannot be reached');
    }
  }

  /** Before that nothing is decided. */
  async #findSelf(): Promise<void> {
    const { api, controllerPod, moulds, log } = this.#options;
    if (performance.now() < this.#findAtMs) return;
    this.#findAtMs = Number.POSITIVE_INFINITY;
    try {
      const self = controllerPod ? await api.read(controllerPod) : undefined;
      const own = [...moulds].map(([type, mould]) => {
        return [type, self ? withImage(mould, self) : mould] as const;
      });
      this.#moulds = new Map(own);
      this.#owners = self ? ownersOf(self) : [];
    } catch (error) {
      log.error({ err: error }, `the controller's own pod is not known: ${errorMessage(error)}`);
      this.#findAtMs = performance.now() + this.#backoff.takeMs();
    }
    for (const pod of this.#pods.values()) this.#adopt(pod);
  }

  // What the API server tells.

  #listed(pods: readonly V1Pod[]): void {
    const names = new Set(pods.map(({ metadata }) => metadata?.name));
    for (const pod of pods) this.#seen(pod);
    for (const { name, sight } of [...this.#pods.values()]) {
      // One that is being made may be younger than the list.
      if (sight && !names.has(name)) this.#gone(name);
    }
  }

  #seen(object: V1Pod): void {
    const sight = podSight(object);
    const { name, type, slots, state, ip } = sight;
    let pod = this.#pods.get(name);
    if (pod?.sight && pod.sight.uid !== sight.uid) {
      this.#gone(name);
      pod = undefined;
    }
    if (!pod) {
      pod = new Pod(name, type, false, performance.now());
      this.#pods.set(name, pod);
    }
    const first = pod.sight === undefined;
    pod.sight = sight;
    if (first) this.#adopt(pod);
    const mould = this.#options.moulds.get(type);
    if (!mould) {
      this.#delete(name, `there is no type ${type} any more`);
    } else if (state === 'broken') {
      this.#giveUp(pod, sight.reason ?? 'it is broken');
    } else if (state === 'done' && pod.connectedAtMs === undefined) {
      this.#giveUp(pod, 'its worker has ended before it was connected');
    } else if (state === 'done') {
      this.#remove(pod);
      this.#delete(name, 'its worker has ended');
    } else if (state === 'ready' && ip && !pod.place && !pod.dismissed) {
      pod.place = pod.placeAt(ip, slots, mould.port);
      this.#handlers?.onAdded(pod.place);
    }
  }

  #gone(name: string): void {
    const pod = this.#pods.get(name);
    if (!pod) return;
    this.#pods.delete(name);
    this.#remove(pod);
  }

  #remove(pod: Pod): void {
    const { place } = pod;
    pod.place = undefined;
    if (place) this.#handlers?.onRemoved(place);
  }

  // What is asked of it.

  #create(mould: PodMould): void {
    const { api, log } = this.#options;
    const name = podName(mould.type);
    this.#pods.set(name, new Pod(name, mould.type, true, performance.now()));
    api.create(podOf(mould, name, this.#owners ?? [])).then(
      () => log.info({ worker: name }, `created pod ${name}`),
      (error: unknown) => {
        log.error({ err: error, worker: name }, errorMessage(error));
        this.#fail(mould.type);
        // Without an answer it may be there all the same: a list will tell.
        if (!isFault(error, 'KUBERNETES_UNREACHABLE')) this.#gone(name);
      },
    );
  }

  #drain(name: string, why: string): void {
    const pod = this.#pods.get(name);
    if (!pod) return;
    pod.drained = true;
    this.#options.log.info({ worker: name }, `draining pod ${name}: ${why}`);
    this.drain(name);
  }

  /** Not up yet. Its place goes first: it gets no task while it is being deleted. */
  #cancel(name: string): void {
    const pod = this.#pods.get(name);
    if (pod) this.#remove(pod);
    this.#delete(name, 'it is not needed any more');
  }

  /** It failed. Deleted, and the next one waits a little. */
  #giveUp(pod: Pod, why: string): void {
    if (!pod.dismissed) this.#fail(pod.type);
    this.#remove(pod);
    this.#delete(pod.name, why);
  }

  #fail(type: string): void {
    this.#failures.set(type, (this.#failures.get(type) ?? 0) + 1);
  }

  #delete(name: string, why: string, force = false): void {
    const pod = this.#pods.get(name);
    if (!pod || this.#stopped) return;
    const nowMs = performance.now();
    const { api, log } = this.#options;
    const { deleteAgainMs } = kubernetesLimits;
    if (pod.deletedAtMs !== undefined && nowMs - pod.deletedAtMs < deleteAgainMs) return;
    pod.deletedAtMs = nowMs;
    // Not confirmed yet: it is asked again once its uid is known.
    if (!pod.sight) return;
    log.info({ worker: name }, `deleting pod ${name}: ${why}`);
    api.delete(name, pod.sight.uid, force).catch((error: unknown) => {
      const isGone = isFault(error, 'KUBERNETES_MISSING') || isFault(error, 'KUBERNETES_CONFLICT');
      if (!isGone) log.error({ err: error, worker: name }, errorMessage(error));
    });
  }

  /** A pod that an earlier controller made belongs to this one from now on. */
  #adopt({ name, sight }: Pod): void {
    const { api, log } = this.#options;
    const owners = this.#owners;
    if (!sight || !owners || owners.length === 0) return;
    if (owners.every(({ uid }) => sight.owners.includes(uid))) return;
    api.setOwners(name, sight.uid, owners).then(
      () => log.info({ worker: name }, `adopted pod ${name}`),
      (error: unknown) => log.error({ err: error, worker: name }, errorMessage(error)),
    );
  }
}

function podName(type: string): string {
  const suffix = randomBytes(4).toString('hex');
  return `scriptd-${type.replaceAll('_', '-')}-${suffix}`;
}

function overdue(endsAtMs: number | undefined): boolean {
  return endsAtMs !== undefined && Date.now() - endsAtMs > kubernetesLimits.forceMs;
}
