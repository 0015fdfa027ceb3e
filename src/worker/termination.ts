import { constants } from 'node:os';
import { invariant } from '../invariant.js';
import type { MessageOf } from '../wire/messages.js';

export type CancelCause = MessageOf<'cancel'>['cause'];

/** Why a run is ended from outside. */
export type Cause =
  | { kind: 'wallLimit' }
  /** Of all its processes together. */
  | { kind: 'cpuLimit' }
  | { kind: 'outputLimit'; stream: 'stdout' | 'stderr' }
  | { kind: 'cancelled'; by: CancelCause }
  /** The worker goes away. */
  | { kind: 'shutdown' }
  /** An error of ours. */
  | { kind: 'fault'; message: string };

/**
 * Ends one run: notes why, then kills. The first cause wins, and it stands before the signal is
 * sent, so that the verdict never has to guess.
 */
export class Termination {
  readonly #signalGroup: (pid: number, signal: number) => boolean;
  #cause: Cause | undefined;
  #pid: number | undefined;

  constructor(signalGroup: (pid: number, signal: number) => boolean) {
    this.#signalGroup = signalGroup;
  }

  get cause(): Cause | undefined {
    return this.#cause;
  }

  /** From here on there is a group to kill; killed at once when there is a cause already. */
  attach(pid: number): void {
    // kill(2) takes 0 for our own group and -1 for everyone.
    invariant(pid > 1, `the group of process ${pid} can't be killed`);
    this.#pid = pid;
    if (this.#cause) this.#kill();
  }

  /**
   * The process has ended: kills what is left of its group, whose number the zombie still holds.
   * No signal is sent after this, since the number may soon be another's.
   */
  detach(): void {
    this.#kill();
    this.#pid = undefined;
  }

  end(cause: Cause): void {
    this.#cause ??= cause;
    this.#kill();
  }

  #kill(): void {
    if (this.#pid !== undefined) this.#signalGroup(this.#pid, constants.signals.SIGKILL);
  }
}
