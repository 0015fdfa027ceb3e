import type { V1Pod } from '@kubernetes/client-node';
import { Backoff } from '../../../backoff.js';
import { errorMessage, ScriptdError } from '../../../errors.js';
import type { Log } from '../../../log.js';
import { isFault } from './api-fault.js';
import { kubernetesLimits } from './limits.js';
import type { PodApi } from './pod-api.js';

export interface PodWatchHandlers {
  /** All pods that there are. */
  onList(pods: readonly V1Pod[]): void;
  onPod(pod: V1Pod): void;
  onGone(pod: V1Pod): void;
}

const silence = new ScriptdError(
  'KUBERNETES_UNREACHABLE',
  'the Kubernetes API server is silent: the watch is begun again',
);

/**
 * Follows the pods: lists them, then watches from the list's version on, each time from where the
 * watch before ended, whether or not the server was away meanwhile. When the server does not have
 * that version any more (410 Gone), and now and then, it lists again.
 */
export class PodWatch {
  readonly #api: PodApi;
  readonly #handlers: PodWatchHandlers;
  readonly #log: Log;
  readonly #backoff = new Backoff(kubernetesLimits.retryMsMin, kubernetesLimits.retryMsMax);
  #version = '';
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #open = false;
  /** When the last list came, or the last watch ended. */
  #knownAtMs = Number.NEGATIVE_INFINITY;
  #endWatch: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(api: PodApi, log: Log, handlers: PodWatchHandlers) {
    this.#api = api;
    this.#log = log;
    this.#handlers = handlers;
  }

  /** True while what was told of the pods is what there is, but for a short delay. */
  get current(): boolean {
    return this.#open || performance.now() - this.#knownAtMs < kubernetesLimits.sightMsMax;
  }

  start(): void {
    void this.#list();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#endWatch?.();
  }

  async #list(): Promise<void> {
    try {
      const { pods, resourceVersion } = await this.#api.list();
      if (this.#stopped) return;
      this.#version = resourceVersion;
      this.#listedAtMs = performance.now();
      this.#knownAtMs = this.#listedAtMs;
      this.#handlers.onList(pods);
    } catch (error) {
      this.#log.error({ err: error }, `the pods are not known: ${errorMessage(error)}`);
      this.#later(() => void this.#list());
      return;
    }
    this.#watch();
  }

  #watch(): void {
    if (this.#stopped) return;
    const note = (version: string | undefined) => {
      this.#backoff.reset();
      if (version) this.#version = version;
      this.#expect();
    };
    this.#endWatch = this.#api.watch(this.#version, {
      onOpen: () => {
        this.#open = true;
      },
      onPod: (change, pod) => {
        note(pod.metadata?.resourceVersion);
        if (change === 'DELETED') this.#handlers.onGone(pod);
        else this.#handlers.onPod(pod);
      },
      onBookmark: note,
      onEnd: (error) => this.#ended(error),
    });
    this.#expect();
  }

  /** A connection that died without a word is noticed by its silence. */
  #expect(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#endWatch?.();
      this.#ended(silence);
    }, kubernetesLimits.watchSilentMs);
  }

  #ended(error: Error | undefined): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    if (this.#open) this.#knownAtMs = performance.now();
    this.#open = false;
    const old = performance.now() - this.#listedAtMs > kubernetesLimits.listAgainMs;
    if (isFault(error, 'KUBERNETES_GONE')) {
      this.#log.info('the version of the watch is gone: listing the pods again');
      this.#later(() => void this.#list());
    } else if (error && !isFault(error, 'KUBERNETES_UNREACHABLE')) {
      this.#log.error({ err: error }, error.message);
      this.#later(() => void this.#list());
    } else {
      if (error) this.#log.warn(`the watch of the pods ended: ${error.message}`);
      this.#later(() => (old ? void this.#list() : this.#watch()));
    }
  }

  #later(step: () => void): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(step, this.#backoff.takeMs());
  }
}
