import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Poller } from '../../poll/poller.js';
import type { Enclosure } from '../enclosure.js';
import { reap, signalGroup } from '../process-end.js';
import type { StartedProcess } from '../spawn-plan.js';

/** How the process of an enclosure comes to be: calls one of the two, once, perhaps at once. */
export type Open = (
  enclosure: Enclosure,
  opened: (process: StartedProcess) => void,
  failed: (error: unknown) => void,
) => void;

type State =
  | { kind: 'opening' }
  | { kind: 'open'; process: StartedProcess }
  | { kind: 'failed'; error: unknown }
  /** Its process is somebody else's now. */
  | { kind: 'taken' };

/**
 * An enclosure whose process waits for a task, or is about to. It belongs to whoever holds it, who
 * either takes the process or discards both.
 */
export class Prepared {
  readonly enclosure: Enclosure;
  /** Made before its task was known. */
  readonly isWarm: boolean;
  #state: State = { kind: 'opening' };
  #settled: (() => void) | undefined;

  constructor(enclosure: Enclosure, open: Open, isWarm: boolean) {
    this.enclosure = enclosure;
    this.isWarm = isWarm;
    open(
      enclosure,
      (process) => this.#settle({ kind: 'open', process }),
      (error) => this.#settle({ kind: 'failed', error }),
    );
  }

  /** There is no process, and there will be none. */
  get failed(): boolean {
    return this.#state.kind === 'failed';
  }

  /** Hands the process over as soon as it is there; calls one of the two, once, perhaps at once. */
  take(opened: (process: StartedProcess) => void, failed: (error: unknown) => void): void {
    this.#whenSettled((state) => {
      if (state.kind === 'open') opened(state.process);
      else if (state.kind === 'failed') failed(state.error);
    });
  }

  /** Ends the process, and lets go of the enclosure when nothing is left of it. */
  discard(poller: Poller, done: (error?: unknown) => void): void {
    this.#whenSettled((state) => {
      if (state.kind === 'open') this.#end(state.process, poller, done);
      else this.#leave(done);
    });
  }

  #end(process: StartedProcess, poller: Poller, done: (error?: unknown) => void): void {
    const { pid, pidfd, stdin, stdout, stderr, status, control } = process;
    for (const fd of [stdin, stdout, stderr, status, control]) {
      if (fd !== undefined) closeSync(fd);
    }
    try {
      signalGroup(pid, constants.signals.SIGKILL);
      poller.watchProcess(pidfd, () => {
        reap(pid);
        this.#leave(done);
      });
    } catch (error) {
      done(error);
    }
  }

  #leave(done: (error?: unknown) => void): void {
    try {
      this.enclosure.leave();
      done();
    } catch (error) {
      done(error);
    }
  }

  #whenSettled(use: (state: State) => void): void {
    const give = () => {
      const state = this.#state;
      this.#state = { kind: 'taken' };
      use(state);
    };
    if (this.#state.kind === 'opening') this.#settled = give;
    else give();
  }

  #settle(state: State): void {
    this.#state = state;
    this.#settled?.();
  }
}
