import type { Log } from '../../log.js';
import type { CgroupHost, CgroupLimits, RunCgroup } from './cgroup.js';

/**
 * Cgroups that are made ahead: making one takes a sixth of a cold start. Each is for one run and has
 * had no process before. They are made one at a time between runs, with the limits of the last that
 * was wanted; the rest is done when one is taken.
 */
export class ReadyCgroups {
  readonly #host: CgroupHost;
  readonly #max: number;
  readonly #log: Log;
  readonly #ready: RunCgroup[] = [];
  #wanted: CgroupLimits | undefined;

  constructor(host: CgroupHost, max: number, log: Log) {
    this.#host = host;
    this.#max = max;
    this.#log = log;
  }

  /** One that is ready, or a new one. @throws Error of node:fs when the kernel refuses it */
  take(limits: CgroupLimits): RunCgroup {
    this.#wanted = limits;
    const cgroup = this.#ready.pop();
    if (!cgroup) return this.#host.create(limits);
    try {
      cgroup.limit(limits);
    } catch (error) {
      cgroup.release();
      throw error;
    }
    return cgroup;
  }

  /** Makes one, if there are too few and it is known what for. */
  refill(): void {
    if (!this.#wanted || this.#ready.length >= this.#max) return;
    try {
      this.#ready.push(this.#host.create(this.#wanted));
    } catch (error) {
      // A run that finds none makes its own, and says what is wrong, if it still is.
      this.#log.warn({ err: error }, 'no cgroup made ahead');
    }
  }

  /** Removes those that nobody took. @throws Error of node:fs */
  clear(): void {
    for (const cgroup of this.#ready.splice(0)) cgroup.release();
  }
}
