import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../errors.js';
import type { Log } from '../log.js';
import type { RunCgroup } from './cgroup/cgroup.js';
import { workerLimits } from './limits.js';
import { killProcessesOf } from './processes-of.js';

/** All processes of a run, and no others: those in a cgroup, or of a user id. */
export type Whose = { cgroup: RunCgroup } | { user: number };

interface Left {
  whose: Whose;
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
   * Kills all that is left, and removes the cgroup.
   *
   * @param done called once, perhaps at once: false when something is left for good
   */
  end(whose: Whose, done: (isEnded: boolean) => void): void {
    const left = { whose, done, passes: 0 };
    this.#left.add(left);
    // To look through all processes of the host takes so long that it is done for several runs.
    if ('cgroup' in whose) this.#pass(left, nobody);
    if (this.#left.size > 0) this.#passing ??= this.#passes();
  }

  /** Resolves when nothing is being ended any more. */
  async settled(): Promise<void> {
    while (this.#passing) await this.#passing;
  }

  async #passes(): Promise<void> {
    let pauseMs: number = workerLimits.leftoverPauseMs;
    while (this.#left.size > 0) {
      await delay(pauseMs);
      const startMs = performance.now();
      const busy = this.#killUsers();
      // On a host of many processes a look takes its time, and the worker has other things to do.
      pauseMs = Math.max(workerLimits.leftoverPauseMs, 4 * (performance.now() - startMs));
      for (const left of this.#left) this.#pass(left, busy);
    }
    this.#passing = undefined;
  }

  /** Those of whom something may run still. */
  #killUsers(): ReadonlySet<number> {
    const users = new Set<number>();
    for (const { whose } of this.#left) if ('user' in whose) users.add(whose.user);
    if (users.size === 0) return users;
    try {
      return killProcessesOf(users);
    } catch (error) {
      this.#log.error({ err: error }, 'the processes of this host cannot be looked through');
      return users;
    }
  }

  /** @param busy users of whom something may run still */
  #pass(left: Left, busy: ReadonlySet<number>): void {
    const { whose } = left;
    left.passes += 1;
    try {
      if ('cgroup' in whose ? isEmptied(whose.cgroup) : !busy.has(whose.user)) {
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

const nobody: ReadonlySet<number> = new Set();

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
