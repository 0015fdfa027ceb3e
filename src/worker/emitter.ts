import { errorMessage } from '../errors.js';
import { type AttemptKey, bulkOf, type Result } from '../task.js';
import type { Connection } from '../wire/connection.js';
import type { MessageOf } from '../wire/messages.js';
import { untellable } from './deliverable.js';
import { workerLimits } from './limits.js';
import { attemptKey } from './queue.js';

type Sender = Pick<Connection, 'send' | 'queuedBytes'>;

interface Held {
  message: MessageOf<'result'>;
  bytes: number;
}

/**
 * Results on their way to the controller. Each is kept until the controller says that it is durable,
 * and goes out again on every new connection until then.
 *
 * Invariant: `#unsent` names results in `#held` that the present connection has not been given, in
 * the order in which they came; without a connection it means nothing.
 */
export class Emitter {
  readonly #held = new Map<string, Held>();
  #unsent = new Set<string>();
  #heldBytes = 0;
  #connection: Sender | undefined;
  /** Has begun in this turn, and is not told of yet: its result may come first. */
  #begun: AttemptKey | undefined;
  #willTell = false;

  /** Results that wait to be acknowledged. */
  get size(): number {
    return this.#held.size;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  has(key: string): boolean {
    return this.#held.has(key);
  }

  unacknowledged(): AttemptKey[] {
    return [...this.#held.values()].map(({ message: { taskId, attempt } }) => ({
      taskId,
      attempt,
    }));
  }

  /** Says first what this worker has, then sends all results that are not acknowledged. */
  attach(connection: Sender, inventory: MessageOf<'inventory'>): void {
    this.#connection = connection;
    this.#begun = undefined;
    connection.send(inventory);
    this.#unsent = new Set(this.#held.keys());
    this.pump();
  }

  detach(connection: Sender): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#begun = undefined;
  }

  /** Tells the controller that it will get no more than it has. */
  draining(): void {
    this.#connection?.send({ kind: 'draining' });
  }

  /**
   * Told only to a controller that is there: for another it stands in the inventory. One whose result
   * follows within the turn is not told of: the result says it.
   */
  started({ taskId, attempt }: AttemptKey): void {
    this.#tellBegun();
    if (!this.#connection) return;
    this.#begun = { taskId, attempt };
    if (this.#willTell) return;
    this.#willTell = true;
    queueMicrotask(() => {
      this.#willTell = false;
      this.#tellBegun();
    });
  }

  #tellBegun(): void {
    const begun = this.#begun;
    if (!begun) return;
    this.#begun = undefined;
    this.#connection?.send({ kind: 'started', taskId: begun.taskId, attempt: begun.attempt });
  }

  /** Told only to the controller that asked: another one sees from the inventory that it is not here. */
  recalled({ taskId, attempt }: AttemptKey): void {
    this.#connection?.send({ kind: 'recalled', taskId, attempt });
  }

  /** Told only to the controller that follows it. False when that has too much to read already. */
  output(output: MessageOf<'output'>): boolean {
    const connection = this.#connection;
    if (connection && connection.queuedBytes > workerLimits.sendWindowBytes) return false;
    this.#tellBegun();
    connection?.send(output);
    return true;
  }

  /** Told when there is somebody to tell it to, who keeps up. */
  vitals(message: MessageOf<'vitals'>): void {
    const connection = this.#connection;
    if (connection && connection.queuedBytes <= workerLimits.sendWindowBytes)
      connection.send(message);
  }

  add({ taskId, attempt }: AttemptKey, result: Result): void {
    const begun = this.#begun;
    if (begun?.taskId === taskId && begun.attempt === attempt) this.#begun = undefined;
    else this.#tellBegun();
    const key = attemptKey({ taskId, attempt });
    const message: MessageOf<'result'> = { kind: 'result', taskId, attempt, result };
    this.#hold(key, message);
    this.#unsent.add(key);
    this.pump();
  }

  /** What is not held, or no longer, is passed over. */
  acknowledge(attempts: readonly AttemptKey[]): void {
    for (const attempt of attempts) {
      const key = attemptKey(attempt);
      this.#heldBytes -= this.#held.get(key)?.bytes ?? 0;
      this.#held.delete(key);
      this.#unsent.delete(key);
    }
    this.pump();
  }

  /** Sends on while the controller reads. Called again when it may have read. */
  pump(): void {
    const connection = this.#connection;
    if (!connection) return;
    for (const key of this.#unsent) {
      if (connection.queuedBytes > workerLimits.sendWindowBytes) return;
      this.#unsent.delete(key);
      const held = this.#held.get(key);
      if (held) this.#send(connection, key, held.message);
    }
  }

  /** One that cannot be encoded, a mistake of ours, would be tried at each new connection, for ever. */
  #send(connection: Sender, key: string, message: MessageOf<'result'>): void {
    try {
      connection.send(message);
    } catch (error) {
      const told = { ...message, result: untellable(errorMessage(error)) };
      this.#hold(key, told);
      connection.send(told);
    }
  }

  #hold(key: string, message: MessageOf<'result'>): void {
    const bytes = bulkOf(message.result) + workerLimits.resultBytesOverhead;
    this.#heldBytes += bytes - (this.#held.get(key)?.bytes ?? 0);
    this.#held.set(key, { message, bytes });
  }
}
