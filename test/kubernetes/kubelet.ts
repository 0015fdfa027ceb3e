import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ApiException,
  CoreV1Api,
  type Informer,
  type KubeConfig,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1Pod,
} from '@kubernetes/client-node';
import { packageRoot } from '../../src/native.js';
import { namespace } from './cluster.js';

/** What becomes of a pod instead of a worker that runs. */
export type Fault = 'exits' | 'crashLoops' | 'neverReady' | undefined;

/** A pod that it runs, and its process. */
interface Running {
  uid: string;
  ip: string;
  child: ChildProcess | undefined;
  ending: boolean;
}

const ready = (status: 'True' | 'False') => [{ type: 'Ready', status }];

/**
 * Does for worker pods what a scheduler and a kubelet do, as far as the API server can see: binds
 * them to a node, starts one real process for each, with a loopback address as its pod's, reports
 * its state, ends it when its pod is deleted, and only then lets the pod go.
 */
export class Kubelet {
  /** Pods whose process was alive when their deletion came. */
  readonly signalled: string[] = [];
  /** All that it ever ran. */
  started = 0;
  /** Most that ran at one time. */
  most = 0;
  /** Decides for each new pod. */
  fault: (name: string) => Fault = () => undefined;
  readonly #core: CoreV1Api;
  readonly #informer: Informer<V1Pod>;
  readonly #pods = new Map<string, Running>();
  readonly #env: Readonly<Record<string, string>>;
  #addresses = 0;
  #stopped = false;

  /** @param env what the image would have */
  constructor(admin: KubeConfig, env: Readonly<Record<string, string>>) {
    this.#core = admin.makeApiClient(CoreV1Api);
    this.#env = env;
    const labelSelector = 'app.kubernetes.io/managed-by=scriptd';
    const list = () => this.#core.listNamespacedPod({ namespace, labelSelector });
    const path = `/api/v1/namespaces/${namespace}/pods`;
    this.#informer = makeInformer(admin, path, list, labelSelector);
    for (const event of ['add', 'update'] as const) {
      this.#informer.on(event, (pod) => this.#see(pod));
    }
    this.#informer.on('delete', (pod) => this.#cut(pod));
    // It lost its API server, which a test may have ended.
    this.#informer.on('error', () => setTimeout(() => void this.#follow(), 500));
  }

  async start(): Promise<void> {
    await this.#follow();
  }

  /** Names of pods with a live process. */
  get running(): string[] {
    return [...this.#pods].flatMap(([name, { child }]) => (child && isAlive(child) ? [name] : []));
  }

  /** Ends a worker's process without a word. */
  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#pods.get(name)?.child?.kill(signal);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#informer.stop();
    for (const { child } of this.#pods.values()) child?.kill('SIGKILL');
  }

  async #follow(): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.#informer.start();
    } catch {
      // The API server is away: again, until the test is over.
      setTimeout(() => void this.#follow(), 500);
    }
  }

  #see(pod: V1Pod): void {
    const { name = '', uid = '', deletionTimestamp } = pod.metadata ?? {};
    const known = this.#pods.get(name);
    if (known) {
      if (deletionTimestamp && !known.ending) this.#attempt(() => this.#endPod(pod, known));
      return;
    }
    this.#addresses += 1;
    // Of this process: other tests have pods at the same time.
    const [high, low] = [16 + ((process.pid >> 8) % 200), process.pid & 255];
    const ip = `127.${high}.${low}.${1 + (this.#addresses % 250)}`;
    const running = { uid, ip, child: undefined, ending: false };
    this.#pods.set(name, running);
    this.#attempt(() => this.#run(pod, running));
  }

  /** Deleted by force: nobody waited for its process. */
  #cut({ metadata }: V1Pod): void {
    const running = this.#pods.get(metadata?.name ?? '');
    if (!running) return;
    // Also one that was being ended with patience.
    running.ending = true;
    running.child?.kill('SIGKILL');
    this.#pods.delete(metadata?.name ?? '');
  }

  /** A pod that is gone meanwhile, or a server that is away, is no fault of the test. */
  #attempt(step: () => Promise<void>): void {
    step().catch((error: unknown) => {
      const gone = error instanceof ApiException && error.code === 404;
      if (!this.#stopped && !gone)
        process.stderr.write(`kubelet: ${String(error).slice(0, 300)}\n`);
    });
  }

  async #run(pod: V1Pod, running: Running): Promise<void> {
    const name = pod.metadata?.name ?? '';
    if (!pod.spec?.nodeName) {
      const target = { apiVersion: 'v1', kind: 'Node', name: 'node-1' };
      const body = { metadata: { name, namespace }, target };
      await this.#core.createNamespacedPodBinding({ name, namespace, body });
    }
    this.started += 1;
    const fault = this.fault(name);
    if (fault === 'crashLoops') {
      const state = { waiting: { reason: 'CrashLoopBackOff' } };
      const status = {
        name: 'worker',
        ready: false,
        restartCount: 4,
        image: '',
        imageID: '',
        state,
      };
      await this.#report(name, { phase: 'Running', containerStatuses: [status] });
      return;
    }
    await this.#report(name, { phase: 'Pending', podIP: running.ip, conditions: ready('False') });
    if (fault === 'neverReady' || running.ending) return;
    const child = this.#spawn(pod, running.ip, fault === 'exits');
    running.child = child;
    this.most = Math.max(this.most, this.running.length);
    child.once('exit', (code, signal) => {
      this.#attempt(() => this.#exited(pod, running, code ?? (signal ? 137 : 1)));
    });
    await this.#report(name, { phase: 'Running' });
    const port = pod.spec?.containers[0]?.ports?.[0]?.containerPort ?? 0;
    while (isAlive(child) && !(await listens(running.ip, port))) await delay(50);
    if (isAlive(child)) await this.#report(name, { conditions: ready('True') });
  }

  #spawn(pod: V1Pod, ip: string, exits: boolean): ChildProcess {
    const container = pod.spec?.containers.find(({ name }) => name === 'worker');
    const fields: Record<string, string | undefined> = {
      'metadata.name': pod.metadata?.name,
      'status.podIP': ip,
    };
    const env: Record<string, string> = { ...this.#env };
    const expanded = (text: string) =>
      text.replace(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole);
    for (const { name, value, valueFrom } of container?.env ?? []) {
      env[name] = expanded(value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ''] ?? '');
    }
    const args = exits ? ['no-such-command'] : (container?.args ?? []).map(expanded);
    const file = join(packageRoot, 'bin', 'scriptd');
    // tap has the child processes of a test load its own modules; these are to run as they are.
    const command = ['-u', 'NODE_OPTIONS', process.execPath, file, ...args];
    return spawn('env', command, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async #exited(pod: V1Pod, running: Running, exitCode: number): Promise<void> {
    const name = pod.metadata?.name ?? '';
    if (this.#stopped || running.ending) return;
    const state = { terminated: { exitCode } };
    const container = {
      name: 'worker',
      ready: false,
      restartCount: 0,
      image: '',
      imageID: '',
      state,
    };
    await this.#report(name, {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      conditions: ready('False'),
      containerStatuses: [container],
    });
  }

  async #endPod(pod: V1Pod, running: Running): Promise<void> {
    const { name = '', uid = '', deletionGracePeriodSeconds = 30 } = pod.metadata ?? {};
    running.ending = true;
    const { child } = running;
    // One that has gone from its controller by itself ends its process a moment later.
    if (child && isAlive(child)) await Promise.race([once(child, 'exit'), delay(leavingMs)]);
    if (child && isAlive(child)) {
      this.signalled.push(name);
      child.kill('SIGTERM');
      const gone = once(child, 'exit');
      const timer = setTimeout(() => child.kill('SIGKILL'), deletionGracePeriodSeconds * 1_000);
      await gone;
      clearTimeout(timer);
    }
    const body = { gracePeriodSeconds: 0, preconditions: { uid } };
    await this.#core.deleteNamespacedPod({ name, namespace, body });
    this.#pods.delete(name);
  }

  async #report(name: string, status: NonNullable<V1Pod['status']>): Promise<void> {
    const type = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch);
    await this.#core.patchNamespacedPodStatus({ name, namespace, body: { status } }, type);
  }
}

/** What a worker that leaves may take between its last word and its end. */
const leavingMs = 3_000;

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
