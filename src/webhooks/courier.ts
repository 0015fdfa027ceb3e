import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { Backoff } from '../backoff.js';
import type { Log } from '../log.js';
import { packageRoot } from '../native.js';
import type { Attempted } from './delivery.js';
import { webhookLimits } from './limits.js';
import type { Notice } from './notice.js';

/** One attempt to tell one receiver. */
export interface Errand {
  url: string;
  keys: readonly Uint8Array[];
  /** The webhook-id. */
  id: string;
  tries: number;
  notice: Notice;
}

export interface Job extends Errand {
  job: number;
}

export interface Done {
  job: number;
  answer: Attempted;
}

interface Waiting {
  at: number;
  startMs: number;
  resolve(answer: Attempted): void;
}

export interface CourierOptions {
  /** What beside the public internet may be reached: Reach has checked it. */
  allow: readonly string[];
  log: Log;
  /** For tests. Milliseconds. */
  idleMs?: number;
}

/** Of the environment, what says how the host looks up names and whom it trusts. No proxies. */
const inherited = ['PATH', 'TZ', 'RES_OPTIONS', 'LOCALDOMAIN', 'NODE_EXTRA_CA_CERTS'];
const program = join(packageRoot, 'dist', 'src', 'webhooks', 'sender.js');

/**
 * Has everything sent by a process of its own, started when there is something to send: what
 * receivers and name servers do to it cannot hold up or end the controller. One that dies is started
 * again; what it was about to send counts as attempted.
 */
export class Courier {
  readonly #options: CourierOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #backoff = new Backoff(webhookLimits.restartMsMin, webhookLimits.restartMsMax);
  #child: ChildProcess | undefined;
  #lastJob = 0;
  #notBeforeMs = 0;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: CourierOptions) {
    this.#options = options;
  }

  /** Of the process that sends; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What came of it; undefined when the courier was closed before that was known. */
  async send(errand: Errand): Promise<Attempted | undefined> {
    const waitMs = this.#child ? 0 : this.#notBeforeMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
    if (this.#closed) return undefined;
    clearTimeout(this.#idle);
    const job = ++this.#lastJob;
    const answer = new Promise<Attempted>((resolve) => {
      this.#waiting.set(job, { at: Date.now(), startMs: performance.now(), resolve });
    });
    this.#child ??= this.#start();
    // One that is just dying says so by itself: its `exit` answers for all it had.
    this.#child.send({ ...errand, job } satisfies Job, () => undefined);
    const attempted = await answer;
    return this.#closed ? undefined : attempted;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#idle);
    if (this.#child?.connected) this.#child.disconnect();
  }

  #start(): ChildProcess {
    const { allow, log } = this.#options;
    const known = inherited.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const child = fork(program, [...allow], {
      execArgv: [`--max-old-space-size=${webhookLimits.heapMiB}`],
      env: { ...Object.fromEntries(known), UV_THREADPOOL_SIZE: String(webhookLimits.threads) },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', ({ job, answer }: Done) => this.#done(job, answer));
    const gone = (how: string) => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (!this.#closed) log.error(`the process that tells webhooks ${how}`);
      this.#notBeforeMs = performance.now() + this.#backoff.takeMs();
      this.#abandon(`the process that sends it ${how}`);
    };
    child.once('exit', (code, signal) => gone(`ended by itself (${signal ?? code})`));
    child.once('error', ({ message }) => gone(`could not be started: ${message}`));
    child.unref();
    child.channel?.unref();
    return child;
  }

  #done(job: number, answer: Attempted): void {
    this.#backoff.reset();
    this.#waiting.get(job)?.resolve(answer);
    this.#waiting.delete(job);
    if (this.#waiting.size === 0 && !this.#closed) this.#rest();
  }

  /** Without work it goes, and its memory with it. */
  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      const child = this.#child;
      this.#child = undefined;
      child?.disconnect();
    }, this.#options.idleMs ?? webhookLimits.idleMs).unref();
  }

  /** All that it had. */
  #abandon(error: string): void {
    const nowMs = performance.now();
    for (const { at, startMs, resolve } of this.#waiting.values()) {
      resolve({ at, durationMs: nowMs - startMs, error });
    }
    this.#waiting.clear();
  }
}
