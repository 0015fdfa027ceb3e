import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../errors.js';
import type { Log } from '../log.js';
import type { RunCgroup } from './cgroup/cgroup.js';
import { workerLimits } from './limits.js';

interface Left {
  cgroup: RunCgroup;
  done: (isEnded: boolean) => void;
  passes: number;
}

/**
 * Ends what runs leave running, a child that left its session for instance: only then may what they
 * had be another's. That is tried at once, and goes on in bounded passes where it takes longer.
 */
export class Leftovers {
  readonly #log: Log;
  readonly #left = new Set<Left>();
  #passing: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Kills all that is in the cgroup, and removes it.
   *
   * @param done called once, perhaps at once: false when something is left for good
   */
  end(cgroup: RunCgroup, done: (isEnded: boolean) => void): void {
    const left = { cgroup, done, passes: 0 };
    this.#left.add(left);
    this.#pass(left);
    if (this.#left.size > 0) this.#passing ??= this.#passes();
  }

  /** Resolves when nothing is being ended any more. */
  async settled(): Promise<void> {
    while (this.#passing) await this.#passing;
  }

  async #passes(): Promise<void> {
    while (this.#left.size > 0) {
      await delay(workerLimits.leftoverPauseMs);
      for (const left of this.#left) this.#pass(left);
    }
    this.#passing = undefined;
  }

  #pass(left: Left): void {
    left.passes += 1;
    try {
      if (isEmptied(left.cgroup)) {
        this.#over(left, true);
      } else if (left.passes > workerLimits.leftoverPassesMax) {
        this.#log.error('what a run left running cannot be killed: its ids stay taken');
        this.#over(left, false);
      }
    } catch (error) {
      this.#log.error({ err: error }, 'what a run left cannot be removed: its ids stay taken');
      this.#over(left, false);
    }
  }

  #over(left: Left, isEnded: boolean): void {
    this.#left.delete(left);
    left.done(isEnded);
  }
}

/** Removes a cgroup, or kills what is in it. */
function isEmptied(cgroup: RunCgroup): boolean {
  try {
    cgroup.release();
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EBUSY') throw error;
    cgroup.kill();
    return false;
  }
}
