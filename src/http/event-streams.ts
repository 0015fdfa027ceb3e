import { httpLimits } from './limits.js';
import { problem } from './problem.js';
import { Shares } from './shares.js';
import type { Token } from './tokens.js';

export interface Stoppable {
  stop(): void;
}

/** The event streams that are open, of each task and of none, of each token and in all. */
export class EventStreams {
  readonly #byTask = new Map<string | undefined, Set<Stoppable>>();
  readonly #shares = new Shares({
    max: httpLimits.eventStreamsPerTokenMax,
    what: 'event streams',
    code: 'TOO_MANY_STREAMS',
  });
  #size = 0;
  #isClosed = false;

  /**
   * Returns what takes it out again; later calls of that do nothing.
   *
   * @param taskId which it is about; undefined: none, and there may be more of them
   * @param owner whose token it was asked for with
   * @throws Problem TOO_MANY_STREAMS
   */
  add(taskId: string | undefined, stream: Stoppable, owner?: Token): () => void {
    const others = this.#byTask.get(taskId) ?? new Set();
    const { eventStreamsMax, eventStreamsPerTaskMax } = httpLimits;
    if (taskId !== undefined && others.size >= eventStreamsPerTaskMax) {
      const detail = `the task has ${others.size} event streams, as many as it may: close one of them`;
      throw problem('TOO_MANY_STREAMS', detail, { taskId });
    }
    if (this.#size >= eventStreamsMax) {
      const detail = `this HTTP daemon has ${this.#size} event streams, as many as it may: try later`;
      throw problem('TOO_MANY_STREAMS', detail);
    }
    const giveBack = this.#shares.take(owner);
    this.#byTask.set(taskId, others.add(stream));
    this.#size += 1;
    if (this.#isClosed) stream.stop();
    return () => {
      if (!others.delete(stream)) return;
      this.#size -= 1;
      giveBack();
      if (others.size === 0 && this.#byTask.get(taskId) === others) this.#byTask.delete(taskId);
    };
  }

  /** Ends all that are open and all to come: their clients go on elsewhere. */
  close(): void {
    this.#isClosed = true;
    for (const streams of this.#byTask.values()) for (const stream of streams) stream.stop();
  }
}
