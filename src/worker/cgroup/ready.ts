import type { Log } from '../../log.js';
import { workerLimits } from '../limits.js';
import type { CgroupHost, CgroupLimits, RunCgroup } from './cgroup.js';

/**
 * Cgroups that are made ahead: making one takes a sixth of a cold start. Each is for one run and has
 * had no process before. They are made a moment after one was taken, with the limits of that, one at a
 * time, so that a run that ends meanwhile waits for one at most; what differs is done when they are
 * taken. So when nothing happens they are as many as may be.
 */
export class ReadyCgroups {
  readonly #host: CgroupHost;
  readonly #log: Log;
  readonly #ready: RunCgroup[] = [];
  #refill: NodeJS.Timeout | undefined;

  constructor(host: CgroupHost, log: Log) {
    this.#host = host;
    this.#log = log;
  }

  /** One that is ready, or a new one. @throws Error of node:fs when the kernel refuses it */
  take(limits: CgroupLimits): RunCgroup {
    const cgroup = this.#ready.pop();
    this.#refillSoon(limits);
    if (!cgroup) return this.#host.create(limits);
    try {
      cgroup.limit(limits);
    } catch (error) {
      cgroup.release();
      throw error;
    }
    return cgroup;
  }

  /** Removes those that nobody took. @throws Error of node:fs */
  close(): void {
    clearTimeout(this.#refill);
    for (const cgroup of this.#ready.splice(0)) cgroup.release();
  }

  /** Not at once: the process that is being started would wait for the kernel's lock on cgroups. */
  #refillSoon(limits: CgroupLimits): void {
    if (this.#ready.length === workerLimits.readyCgroupsMax) return;
    this.#refill ??= setTimeout(() => {
      this.#refill = undefined;
      try {
        this.#ready.push(this.#host.create(limits));
        this.#refillSoon(limits);
      } catch (error) {
        // A run that finds none makes its own, and says what is wrong, if it still is.
        this.#log.warn({ err: error }, 'no cgroup made ahead');
      }
    }, workerLimits.readyCgroupMs).unref();
  }
}
