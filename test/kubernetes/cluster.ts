import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthenticationV1Api, CoreV1Api, KubeConfig, type V1Pod } from '@kubernetes/client-node';
import type { Test } from 'tap';
import { freePorts } from '../../bench/free-port.js';
import { packageRoot } from '../../src/native.js';
import { Gate } from './gate.js';

const programs = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'scriptd-test',
  'kubernetes',
);
const needed = ['etcd', 'kube-apiserver', 'kubectl'].map((name) => join(programs, name));

/** For tap's `skip`: what to do when the programs are not there. False: they are. */
export const lacking = needed.every((file) => existsSync(file))
  ? false
  : `no kube-apiserver here: make one with node test/kubernetes/programs/build.mjs`;

/** Where everything of the tests stands; the overlay's. */
export const namespace = 'scriptd';

/**
 * A real API server on a real etcd, with RBAC, and nothing else: no scheduler, no kubelet, no
 * controllers.
 */
export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'scriptd-kube-'));
  readonly admin = new KubeConfig();
  readonly core: CoreV1Api;
  /** Which way service accounts go to the API server. */
  readonly gate: Gate;
  readonly #etcd: ChildProcess;
  readonly #etcdPort: number;
  readonly #port: number;
  readonly #adminToken = randomBytes(16).toString('hex');
  #server: ChildProcess | undefined;

  static async start(test: Test): Promise<Cluster> {
    const [etcdPort, peerPort, port = 0, gatePort = 0] = await freePorts(4);
    const cluster = new Cluster(await Gate.to(port, gatePort), etcdPort, peerPort, port);
    test.teardown(() => cluster.#end());
    await cluster.startServer();
    return cluster;
  }

  private constructor(gate: Gate, etcdPort = 0, peerPort = 0, port = 0) {
    this.gate = gate;
    this.#etcdPort = etcdPort;
    this.#port = port;
    const { folder } = this;
    const keys = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    writeFileSync(join(folder, 'accounts.key'), keys.privateKey);
    writeFileSync(join(folder, 'accounts.pub'), keys.publicKey);
    writeFileSync(join(folder, 'tokens'), `${this.#adminToken},admin,1,"system:masters"\n`);
    const client = `http://127.0.0.1:${etcdPort}`;
    const peer = `http://127.0.0.1:${peerPort}`;
    this.#etcd = this.#run('etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
      ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
      ...[`--initial-cluster=default=${peer}`, '--unsafe-no-fsync'],
    ]);
    this.#configure(this.admin, this.#adminToken);
    this.core = this.admin.makeApiClient(CoreV1Api);
  }

  /** Starts the API server, again at the same port: what it remembered for watches is gone. */
  async startServer(): Promise<void> {
    const { folder } = this;
    this.#server = this.#run('kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      ...['--bind-address=127.0.0.1', `--secure-port=${this.#port}`],
      ...[`--cert-dir=${folder}`, '--authorization-mode=RBAC'],
      `--token-auth-file=${join(folder, 'tokens')}`,
      `--service-account-key-file=${join(folder, 'accounts.pub')}`,
      `--service-account-signing-key-file=${join(folder, 'accounts.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--endpoint-reconciler-type=none',
    ]);
    const deadlineMs = Date.now() + 90_000;
    while (!(await this.#isReady())) {
      if (Date.now() > deadlineMs || this.#server.exitCode !== null) {
        throw new Error(readFileSync(join(folder, 'kube-apiserver.log'), 'utf8').slice(-4_000));
      }
      await delay(200);
    }
  }

  async killServer(): Promise<void> {
    const server = this.#server;
    if (!server || server.exitCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }

  /** Has etcd forget all that was before now: no watch can begin there. */
  async compact(): Promise<void> {
    const ask = async (path: string, body: object) => {
      const url = `http://127.0.0.1:${this.#etcdPort}/v3/kv/${path}`;
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(`etcd ${path}: ${await answer.text()}`);
      return (await answer.json()) as { header: { revision: string } };
    };
    // One version more, which no watch has heard of: a bookmark may have told it of those before.
    const [key, value] = ['/scriptd-test', 'compacted'].map((text) => btoa(text));
    const { header } = await ask('put', { key, value });
    await ask('compaction', { revision: header.revision, physical: true });
  }

  /** Runs kubectl as an administrator; its output, or an error with what it said. */
  kubectl(args: readonly string[], input?: string): string {
    const file = join(this.folder, 'admin.kubeconfig');
    writeFileSync(file, this.admin.exportConfig(), { mode: 0o600 });
    const options = { encoding: 'utf8' as const, ...(input !== undefined && { input }) };
    const command = [`--kubeconfig=${file}`, '--cache-dir', join(this.folder, 'cache'), ...args];
    const { status, stdout, stderr } = spawnSync(join(programs, 'kubectl'), command, options);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** The namespace with the rights of deploy/kubernetes, and nothing that would run. */
  async install(): Promise<void> {
    const { core } = this;
    await core.createNamespace({ body: { metadata: { name: namespace } } });
    const rights = join(packageRoot, 'deploy', 'kubernetes', 'base', 'rbac.yaml');
    this.kubectl(['apply', '--namespace', namespace, '--filename', rights]);
  }

  /** The controller's pod, as its StatefulSet would have made it. Nothing runs in it. */
  async controllerPod(): Promise<V1Pod> {
    const uid = '11111111-2222-3333-4444-555555555555';
    const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'scriptd-controller', uid };
    const metadata = { name: 'scriptd-controller-0', ownerReferences: [owner] };
    const containers = [{ name: 'controller', image: 'scriptd:test' }];
    const spec = { serviceAccountName: 'scriptd-controller', containers };
    return this.core.createNamespacedPod({ namespace, body: { metadata, spec } });
  }

  /** A kubeconfig file with a token of that service account, as a pod of it would have. */
  async accountFile(name: string): Promise<string> {
    const api = this.admin.makeApiClient(CoreV1Api);
    const { status } = await api.createNamespacedServiceAccountToken({
      ...{ name, namespace },
      body: { spec: { audiences: [], expirationSeconds: 3_600 } },
    });
    const config = new KubeConfig();
    this.#configure(config, status?.token ?? '', this.gate.port);
    const file = join(this.folder, `${name}.kubeconfig`);
    writeFileSync(file, config.exportConfig(), { mode: 0o600 });
    return file;
  }

  async #isReady(): Promise<boolean> {
    if (!existsSync(join(this.folder, 'apiserver.crt'))) return false;
    this.#configure(this.admin, this.#adminToken);
    try {
      await this.admin.makeApiClient(AuthenticationV1Api).getAPIResources();
      await this.core.readNamespace({ name: 'default' });
      return true;
    } catch {
      // Not yet; the deadline is above.
      return false;
    }
  }

  /** Resolves once that service account is allowed again what its role says. */
  async untilAllowed(account: string): Promise<void> {
    const config = new KubeConfig();
    config.loadFromFile(join(this.folder, `${account}.kubeconfig`));
    const [current] = config.clusters;
    if (!current) throw new Error(`no cluster in ${account}.kubeconfig`);
    config.clusters = [{ ...current, server: `https://127.0.0.1:${this.#port}` }];
    const core = config.makeApiClient(CoreV1Api);
    const deadlineMs = Date.now() + 90_000;
    for (;;) {
      try {
        await core.listNamespacedPod({ namespace });
        return;
      } catch (error) {
        if (Date.now() > deadlineMs) throw error;
        await delay(200);
      }
    }
  }

  #configure(config: KubeConfig, token: string, port = this.#port): void {
    const certificate = join(this.folder, 'apiserver.crt');
    const caData = existsSync(certificate) ? readFileSync(certificate).toString('base64') : '';
    config.loadFromOptions({
      clusters: [{ name: 'test', server: `https://127.0.0.1:${port}`, caData }],
      users: [{ name: 'user', token }],
      contexts: [{ name: 'test', cluster: 'test', user: 'user', namespace }],
      currentContext: 'test',
    });
  }

  #run(name: string, args: string[]): ChildProcess {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    const file = join(programs, name);
    return spawn(file, args, { stdio: ['ignore', log, log], cwd: this.folder });
  }

  async #end(): Promise<void> {
    await this.gate.shut();
    await this.killServer();
    this.#etcd.kill('SIGKILL');
    if (this.#etcd.exitCode === null && this.#etcd.signalCode === null)
      await once(this.#etcd, 'exit');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
