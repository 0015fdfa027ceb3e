import { type ChildProcess, spawn } from 'node:child_process';
import { Backoff } from '../../backoff.js';
import { errorMessage } from '../../errors.js';
import type { Log } from '../../log.js';
import type { WorkerSight } from '../../scaling/policy.js';
import type { Scaler } from '../../scaling/scaler.js';
import { controllerLimits } from '../limits.js';
import type { PlaceHandlers, TypeLoad, WorkerManager, WorkerPlace } from '../manager.js';
import { exited, finishWorker, killIfThere, pidsAt } from './worker-processes.js';

/** How a worker process is started on this host. */
export interface LocalCommand {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** Types whose workers become more and fewer, by the load. */
interface Scaling {
  scaler: Scaler;
  /** Where the worker of this number of the type is, from 1 on. */
  placeAt(type: string, number: number): WorkerPlace;
}

export interface LocalManagerOptions {
  /** Those that there are at the start. */
  places: readonly WorkerPlace[];
  /** Default: as many workers as there are at the start. */
  scaling?: Scaling;
  /** What it starts writes a line on its stdout when it listens, and nothing else. */
  command(place: WorkerPlace): LocalCommand;
  /** Exit code with which a worker says that it can never run as configured. */
  misconfiguredExitCode: number;
  /** Called when a worker exited with that code; its own message is in the log. */
  onMisconfigured(place: WorkerPlace): void;
  log: Log;
}

/** One place and the process that this manager started for it, if any. */
interface Post {
  place: WorkerPlace;
  backoff: Backoff;
  child: ChildProcess | undefined;
  startedAtMs: number;
  /** Not before this may it be started again. */
  notBeforeMs: number;
  madeAtMs: number;
  /** Since when it has been connected, as far as `load` told. */
  upSinceMs: number | undefined;
  /** It is too many: once its worker has gone, so has the place. */
  leaving: boolean;
}

/**
 * Workers as processes of this host. Each is a session of its own and does not depend on the
 * controller that started it: it goes on when that one is restarted, and is found again at its
 * socket.
 */
export class LocalManager implements WorkerManager {
  readonly types: readonly string[];
  readonly #options: LocalManagerOptions;
  readonly #posts = new Map<string, Post>();
  /** Workers that ended before they were connected, since the last decision, by type. */
  readonly #failures = new Map<string, number>();
  #handlers: PlaceHandlers | undefined;
  #stopped = false;
  drain: (name: string) => void = () => undefined;
  /** Only if it scales. */
  readonly load?: (types: readonly TypeLoad[]) => void;

  constructor(options: LocalManagerOptions) {
    this.#options = options;
    const { places, scaling } = options;
    const scaled = scaling?.scaler.rules.keys() ?? [];
    this.types = [...new Set([...places.map(({ type }) => type), ...scaled])];
    if (scaling) this.load = (types) => this.#scale(types, scaling);
  }

  mayLack(type: string): boolean {
    return this.#options.scaling?.scaler.rules.get(type)?.min === 0;
  }

  start(handlers: PlaceHandlers): void {
    this.#handlers = handlers;
    for (const place of this.#options.places) this.#add(place);
  }

  ensure(place: WorkerPlace): void {
    const post = this.#posts.get(place.name);
    if (!post || this.#stopped) return;
    const nowMs = performance.now();
    if (post.leaving) {
      if (!post.child) this.#remove(post);
    } else if (!post.child) {
      if (nowMs >= post.notBeforeMs) this.#start(post, nowMs);
    } else if (nowMs - post.startedAtMs > controllerLimits.workerStartMs) {
      this.#options.log.error({ worker: place.name }, `worker ${place.name} does not come up`);
      post.child.kill('SIGKILL');
    }
  }

  replace(place: WorkerPlace, pid: number | undefined): void {
    const post = this.#posts.get(place.name);
    const { log } = this.#options;
    if (post?.child) {
      // One that has never answered may be busy starting still.
      const ageMs = performance.now() - post.startedAtMs;
      if (pid === undefined && ageMs <= controllerLimits.workerStartMs) return;
      log.warn({ worker: place.name }, `killing worker ${place.name}, which does not answer`);
      post.child.kill('SIGKILL');
      return;
    }
    // An earlier controller started it.
    for (const found of pidsAt(place).filter((one) => pid === undefined || one === pid)) {
      const text = `killing worker ${place.name}, which does not answer`;
      log.warn({ worker: place.name, pid: found }, text);
      killIfThere(found);
    }
  }

  retire(name: string): void {
    const post = this.#posts.get(name);
    if (post && this.#options.scaling?.scaler.rules.has(post.place.type)) post.leaving = true;
  }

  stop(): void {
    this.#stopped = true;
  }

  async finish(waitMs: number, pids: readonly number[]): Promise<void> {
    this.#stopped = true;
    const endsAtMs = performance.now() + waitMs;
    const children = [...this.#posts.values()].flatMap(({ child }) => (child ? [child] : []));
    const gone = Promise.all(children.map((child) => exited(child)));
    const timer = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL');
    }, waitMs);
    await gone;
    clearTimeout(timer);
    // Those of an earlier controller are no children of this one.
    for (const pid of pids) await finishWorker(pid, endsAtMs);
  }

  #scale(types: readonly TypeLoad[], scaling: Scaling): void {
    if (this.#stopped) return;
    for (const load of types) {
      const rule = scaling.scaler.rules.get(load.type);
      if (!rule) continue;
      const failures = this.#failures.get(load.type) ?? 0;
      this.#failures.delete(load.type);
      const { start, cancel, drain } = scaling.scaler.decide(load.type, rule, {
        nowMs: performance.now(),
        tasks: load.ready + load.running,
        workers: this.#sights(load),
        failures,
      });
      for (let number = 1, left = start; left > 0 && number <= rule.max; number++) {
        const place = scaling.placeAt(load.type, number);
        if (this.#posts.has(place.name)) continue;
        this.#add(place);
        left--;
      }
      for (const name of cancel) this.#cancel(name);
      for (const name of drain) this.#drain(name);
    }
  }

  #sights({ type, workers }: TypeLoad): WorkerSight[] {
    const posts = [...this.#posts.values()].filter(({ place }) => place.type === type);
    return posts.map((post) => {
      const { place, madeAtMs, leaving } = post;
      const worker = workers.get(place.name);
      if (worker) post.upSinceMs ??= performance.now();
      const { upSinceMs } = post;
      let phase: WorkerSight['phase'] = worker ? 'up' : 'starting';
      if (leaving || worker?.draining) phase = 'draining';
      return { name: place.name, phase, busy: worker?.busy, outdated: false, madeAtMs, upSinceMs };
    });
  }

  #add(place: WorkerPlace): void {
    this.#posts.set(place.name, {
      place,
      backoff: new Backoff(controllerLimits.restartMsMin, controllerLimits.restartMsMax),
      child: undefined,
      startedAtMs: 0,
      notBeforeMs: 0,
      madeAtMs: performance.now(),
      upSinceMs: undefined,
      leaving: false,
    });
    this.#handlers?.onAdded(place);
  }

  #remove({ place }: Post): void {
    this.#posts.delete(place.name);
    this.#handlers?.onRemoved(place);
  }

  /** It is idle: it takes nothing new, and goes. */
  #drain(name: string): void {
    const post = this.#posts.get(name);
    if (!post) return;
    post.leaving = true;
    this.#options.log.info({ worker: name }, `draining worker ${name}: it is idle`);
    this.drain(name);
  }

  /** It is not up yet. Its place goes first: it gets no task while it ends. */
  #cancel(name: string): void {
    const post = this.#posts.get(name);
    if (!post) return;
    post.leaving = true;
    if (!post.child) {
      this.#remove(post);
      return;
    }
    this.#handlers?.onRemoved(post.place);
    post.child.kill('SIGTERM');
  }

  #start(post: Post, nowMs: number): void {
    const { place } = post;
    const { command, log } = this.#options;
    const { file, args, env } = command(place);
    post.startedAtMs = nowMs;
    let child: ChildProcess;
    try {
      child = spawn(file, args, { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    } catch (error) {
      // Some are thrown, such as ENOMEM; others, such as EAGAIN, come as `error`.
      this.#ended(post, undefined, `could not be started: ${errorMessage(error)}`);
      return;
    }
    // Absent when there was no descriptor for it: then `error` follows.
    child.stdout?.once('data', () => {
      child.stdout?.destroy();
      if (post.child === child && !post.leaving) this.#handlers?.onListening(place);
    });
    post.child = child;
    log.info({ worker: place.name, pid: child.pid }, `started worker ${place.name}`);
    child.once('error', (error) =>
      this.#ended(post, child, `could not be started: ${error.message}`),
    );
    child.once('exit', (code, signal) => {
      this.#ended(post, child, signal ? `was ended by ${signal}` : `exited with code ${code}`);
      if (code === this.#options.misconfiguredExitCode) this.#options.onMisconfigured(place);
    });
  }

  #ended(post: Post, child: ChildProcess | undefined, how: string): void {
    if (post.child !== child) return;
    post.child = undefined;
    const nowMs = performance.now();
    if (nowMs - post.startedAtMs > controllerLimits.restartResetMs) post.backoff.reset();
    post.notBeforeMs = nowMs + post.backoff.takeMs();
    const { name, type } = post.place;
    if (post.leaving) {
      this.#options.log.info({ worker: name }, `worker ${name} has gone`);
      if (this.#posts.get(name) === post) this.#remove(post);
      return;
    }
    if (post.upSinceMs === undefined) {
      this.#failures.set(type, (this.#failures.get(type) ?? 0) + 1);
    }
    post.upSinceMs = undefined;
    if (this.#stopped) this.#options.log.info({ worker: name }, `worker ${name} ${how}`);
    else
      this.#options.log.warn({ worker: name }, `worker ${name} ${how}; it will be started again`);
  }
}
