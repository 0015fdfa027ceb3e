import {
  CoreV1Api,
  createConfiguration,
  type KubeConfig,
  type Middleware,
  PatchStrategy,
  ServerConfiguration,
  type V1OwnerReference,
  type V1Pod,
  Watch,
} from '@kubernetes/client-node';
import { apiFault, statusFault } from './api-fault.js';
import { kubernetesLimits } from './limits.js';

export interface WatchHandlers {
  /** The server has taken it. */
  onOpen(): void;
  onPod(change: 'ADDED' | 'MODIFIED' | 'DELETED', pod: V1Pod): void;
  /** Everything up to this version has been told. */
  onBookmark(resourceVersion: string): void;
  /** Called once. Without an error the server ended it in time. */
  onEnd(error: Error | undefined): void;
}

/** What the manager asks of the API server. Every method rejects with KUBERNETES_* (api-fault.ts). */
export class PodApi {
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #namespace: string;
  readonly #labelSelector: string;

  /** @param labelSelector of the pods that `list` and `watch` tell of */
  constructor(config: KubeConfig, namespace: string, labelSelector: string) {
    this.#config = config;
    this.#namespace = namespace;
    this.#labelSelector = labelSelector;
    const baseServer = new ServerConfiguration(config.getCurrentCluster()?.server ?? '', {});
    const promiseMiddleware = [bounded];
    const authMethods = { default: config };
    this.#core = new CoreV1Api(createConfiguration({ baseServer, authMethods, promiseMiddleware }));
  }

  /** All pods, and the version from which a watch goes on. */
  async list(): Promise<{ pods: V1Pod[]; resourceVersion: string }> {
    const pods: V1Pod[] = [];
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const { items, metadata } = await this.#page(next);
      pods.push(...items);
      next = metadata?._continue;
      resourceVersion = metadata?.resourceVersion ?? '';
    } while (next);
    return { pods, resourceVersion };
  }

  #page(from: string | undefined) {
    return asked('list pods', () =>
      this.#core.listNamespacedPod({
        namespace: this.#namespace,
        labelSelector: this.#labelSelector,
        limit: kubernetesLimits.listPagePods,
        ...(from && { _continue: from }),
      }),
    );
  }

  /** Tells of every change since that version. Returns what ends it. */
  watch(resourceVersion: string, handlers: WatchHandlers): () => void {
    const query = {
      labelSelector: this.#labelSelector,
      resourceVersion,
      allowWatchBookmarks: true,
      timeoutSeconds: kubernetesLimits.watchSeconds,
    };
    let stopped = false;
    let controller: AbortController | undefined;
    const end = (error: unknown) => {
      if (stopped) return;
      stopped = true;
      handlers.onEnd(error ? apiFault(error, 'watch pods') : undefined);
    };
    const tell = (kind: string, object: V1Pod & { code?: number; message?: string }) => {
      if (stopped) return;
      if (kind === 'ERROR') {
        stopped = true;
        controller?.abort();
        const { code = 500, message = '' } = object;
        handlers.onEnd(statusFault(code, message, 'watch pods'));
      } else if (kind === 'BOOKMARK') {
        handlers.onBookmark(object.metadata?.resourceVersion ?? '');
      } else if (kind === 'ADDED' || kind === 'MODIFIED' || kind === 'DELETED') {
        handlers.onPod(kind, object);
      }
    };
    // The client swallows what its callback throws: so nothing of ours runs within it.
    const later = (kind: string, object: V1Pod) => queueMicrotask(() => tell(kind, object));
    new Watch(this.#config)
      .watch(`/api/v1/namespaces/${this.#namespace}/pods`, query, later, end)
      .then((opened) => {
        controller = opened;
        if (stopped) opened.abort();
        else handlers.onOpen();
      }, end);
    return () => {
      stopped = true;
      controller?.abort();
    };
  }

  read(name: string): Promise<V1Pod> {
    const { namespace } = this.#of(name);
    return asked(`get pod ${name}`, () => this.#core.readNamespacedPod({ name, namespace }));
  }

  create(pod: V1Pod): Promise<V1Pod> {
    const namespace = this.#namespace;
    return asked(`create pod ${pod.metadata?.name}`, () =>
      this.#core.createNamespacedPod({ namespace, body: pod }),
    );
  }

  /**
   * Only if it is still that very pod.
   *
   * @param force without waiting for whoever runs it
   */
  async delete(name: string, uid: string, force = false): Promise<void> {
    const body = { preconditions: { uid }, ...(force && { gracePeriodSeconds: 0 }) };
    await asked(`delete pod ${name}`, () =>
      this.#core.deleteNamespacedPod({ ...this.#of(name), body }),
    );
  }

  async setOwners(name: string, uid: string, owners: readonly V1OwnerReference[]): Promise<void> {
    const body = { metadata: { uid, ownerReferences: owners } };
    await asked(`patch pod ${name}`, () =>
      this.#core.patchNamespacedPod({ ...this.#of(name), body }),
    );
  }

  #of(name: string): { name: string; namespace: string } {
    return { name, namespace: this.#namespace };
  }
}

/** Every request has an end; a patch replaces the lists that it names. */
const bounded: Middleware = {
  async pre(context) {
    context.setSignal(AbortSignal.timeout(kubernetesLimits.requestMs));
    if (context.getHttpMethod() === 'PATCH') {
      context.setHeaderParam('Content-Type', PatchStrategy.MergePatch);
    }
    return context;
  },
  async post(context) {
    return context;
  },
};

async function asked<Result>(what: string, request: () => Promise<Result>): Promise<Result> {
  try {
    return await request();
  } catch (error) {
    throw apiFault(error, what);
  }
}
