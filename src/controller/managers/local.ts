import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from '../../backoff.js';
import { errorCode } from '../../errors.js';
import type { Log } from '../../log.js';
import { controllerLimits } from '../limits.js';
import type { PlaceHandlers, WorkerManager, WorkerPlace } from '../manager.js';

/** How a worker process is started on this host. */
export interface LocalCommand {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

export interface LocalManagerOptions {
  places: readonly WorkerPlace[];
  command(place: WorkerPlace, index: number): LocalCommand;
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
  #stopped = false;

  constructor(options: LocalManagerOptions) {
    this.#options = options;
    this.types = [...new Set(options.places.map(({ type }) => type))];
    for (const place of options.places) {
      const backoff = new Backoff(controllerLimits.restartMsMin, controllerLimits.restartMsMax);
      const post = { place, backoff, child: undefined, startedAtMs: 0, notBeforeMs: 0 };
      this.#posts.set(place.name, post);
    }
  }

  start({ onAdded }: PlaceHandlers): void {
    for (const place of this.#options.places) onAdded(place);
  }

  ensure(place: WorkerPlace): void {
    const post = this.#posts.get(place.name);
    if (!post || this.#stopped) return;
    const nowMs = performance.now();
    if (!post.child) {
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
      log.warn({ worker: place.name }, `killing worker ${place.name}, which does not answer`);
      post.child.kill('SIGKILL');
      return;
    }
    // An earlier controller started it.
    const pids = pid === undefined ? allPids() : [pid];
    for (const found of pids.filter((candidate) => isWorkerAt(candidate, place))) {
      const text = `killing worker ${place.name}, which does not answer`;
      log.warn({ worker: place.name, pid: found }, text);
      killIfThere(found);
    }
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
    for (const pid of pids) {
      while (isWorker(pid) && performance.now() < endsAtMs) await delay(lookAgainMs);
      if (isWorker(pid)) killIfThere(pid);
    }
  }

  #start(post: Post, nowMs: number): void {
    const { place } = post;
    const { command, places, log } = this.#options;
    const { file, args, env } = command(place, places.indexOf(place));
    const child = spawn(file, args, {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    post.child = child;
    post.startedAtMs = nowMs;
    log.info({ worker: place.name, pid: child.pid }, `started worker ${place.name}`);
    child.once('error', (error) =>
      this.#ended(post, child, `could not be started: ${error.message}`),
    );
    child.once('exit', (code, signal) => {
      this.#ended(post, child, signal ? `was ended by ${signal}` : `exited with code ${code}`);
      if (code === this.#options.misconfiguredExitCode) this.#options.onMisconfigured(place);
    });
  }

  #ended(post: Post, child: ChildProcess, how: string): void {
    if (post.child !== child) return;
    post.child = undefined;
    const nowMs = performance.now();
    if (nowMs - post.startedAtMs > controllerLimits.restartResetMs) post.backoff.reset();
    post.notBeforeMs = nowMs + post.backoff.takeMs();
    const { name } = post.place;
    if (this.#stopped) this.#options.log.info({ worker: name }, `worker ${name} ${how}`);
    else
      this.#options.log.warn({ worker: name }, `worker ${name} ${how}; it will be started again`);
  }
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function allPids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** True when this process is a worker that was told to listen at that place. */
function isWorkerAt(pid: number, { address }: WorkerPlace): boolean {
  if (address.kind !== 'unix') return false;
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return args.includes('worker') && args.includes(`--listen=unix:${address.path}`);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Between two looks at a process that is no child. */
const lookAgainMs = 10;

/** False when it has ended, a zombie included, or its number is another's by now. */
function isWorker(pid: number): boolean {
  const path = `/proc/${pid}/cmdline`;
  try {
    return readFileSync(path, 'latin1').split('\0').includes('worker');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error;
  }
}
