import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { Service } from '../cli/service.js';
import { Cluster, namespace } from './cluster.js';
import { Kubelet } from './kubelet.js';

export interface InstallationOptions {
  min?: number;
  max: number;
  slots?: number;
  cooldownMs?: number;
  startMs?: number;
  /** Part of the template: another makes other pods. */
  label?: string;
}

/** A cluster with its kubelet, and a controller and an http daemon whose workers are its pods. */
export class Installation {
  readonly cluster: Cluster;
  readonly kubelet: Kubelet;
  service: Service;
  readonly dataDir: string;
  readonly #test: Test;

  private constructor(
    test: Test,
    dataDir: string,
    cluster: Cluster,
    kubelet: Kubelet,
    service: Service,
  ) {
    this.#test = test;
    this.dataDir = dataDir;
    this.cluster = cluster;
    this.kubelet = kubelet;
    this.service = service;
  }

  static async start(test: Test, options: InstallationOptions): Promise<Installation> {
    const cluster = await Cluster.start(test);
    await cluster.install();
    await cluster.controllerPod();
    const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-kube-up-'));
    writeFileSync(join(dataDir, 'wire-token'), `a token of the parts in ${dataDir}\n`);
    const { PATH = '', HOME = '' } = process.env;
    const kubelet = new Kubelet(cluster.admin, { PATH, HOME });
    test.teardown(async () => {
      await kubelet.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    await kubelet.start();
    process.env.KUBECONFIG = await cluster.accountFile('scriptd-controller');
    const service = await Service.start(test, [], configOf(dataDir, options), dataDir);
    return new Installation(test, dataDir, cluster, kubelet, service);
  }

  /** Ends controller and http daemon in order, and starts them again with this configuration. */
  async restart(options: InstallationOptions): Promise<void> {
    await this.service.stop();
    const config = configOf(this.dataDir, options);
    this.service = await Service.start(this.#test, [], config, this.dataDir);
  }

  /** Worker pods that there are. */
  async pods(): Promise<V1Pod[]> {
    const labelSelector = 'app.kubernetes.io/managed-by=scriptd';
    const { items } = await this.cluster.core.listNamespacedPod({ namespace, labelSelector });
    return items;
  }

  /** Workers that are connected. */
  async connected(): Promise<number> {
    const { json } = await this.service.request('GET', '/v1/workers');
    return ((json.workers ?? []) as unknown[]).length;
  }

  /** So many tasks that each take that long; their ids. */
  submit(count: number, seconds: number): Promise<string[]> {
    return this.submitCode(count, `sleep ${seconds}`);
  }

  /** So many tasks with that code, for Bash; their ids. */
  async submitCode(count: number, code: string): Promise<string[]> {
    const ids: string[] = [];
    const submitters = Array.from({ length: 50 }, async (_, first) => {
      for (let index = first; index < count; index += 50) {
        const { status, json } = await this.service.submit({ type: 'bash', code });
        if (status !== 201) throw new Error(`a task was refused: ${JSON.stringify(json)}`);
        ids.push(String(json.id));
      }
    });
    await Promise.all(submitters);
    return ids;
  }

  /** Every task that is finished, by its id. */
  finished(): Promise<Map<string, FoundTask>> {
    return this.tasks('finished');
  }

  async tasks(state: 'running' | 'finished'): Promise<Map<string, FoundTask>> {
    const found = new Map<string, FoundTask>();
    let cursor: string | undefined;
    do {
      const query = `state=${state}&limit=100${cursor ? `&cursor=${cursor}` : ''}`;
      const { status, json } = await this.service.request('GET', `/v1/tasks?${query}`);
      // The controller is away: asked again.
      if (status !== 200) return new Map();
      const { tasks, next } = json as unknown as { tasks: FoundTask[]; next?: string };
      for (const task of tasks) found.set(task.id, task);
      cursor = next;
    } while (cursor);
    return found;
  }
}

export interface FoundTask {
  id: string;
  outcome: string;
  attempt: number;
  /** Without an outcome: handed back before it began. */
  attempts: { outcome?: string }[];
}

/** For the slowest machine; a test has nothing else that ends it. Milliseconds. */
const patienceMs = 270_000;

/** Fulfilled once it holds; asked again and again. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`it took too long until ${what}`);
    await delay(100);
  }
}

function configOf(dataDir: string, options: InstallationOptions): string {
  const { min = 0, max, slots = 4, cooldownMs = 3_000, startMs = 60_000, label = 'one' } = options;
  const env = [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'SCRIPTD_DATA_DIR', value: join(dataDir, 'pods', '$(POD_NAME)') },
    { name: 'SCRIPTD_WIRE_TOKEN_FILE', value: join(dataDir, 'wire-token') },
    { name: 'SCRIPTD_ISOLATION', value: 'none' },
    { name: 'SCRIPTD_LOG_LEVEL', value: 'warn' },
  ];
  return stringify({
    manager: 'kubernetes',
    workers: { bash: slots },
    scaling: { bash: { min, max, cooldownMs } },
    kubernetes: {
      ...{ controllerPod: 'scriptd-controller-0', port: 5_100, startMs },
      pod: {
        metadata: { labels: { edition: label } },
        spec: {
          ...{ serviceAccountName: 'scriptd-worker', automountServiceAccountToken: false },
          containers: [{ name: 'worker', env }],
        },
      },
    },
  });
}
