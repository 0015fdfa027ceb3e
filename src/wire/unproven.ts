import { ScriptdError } from '../errors.js';
import type { Connection } from './connection.js';
import { wireLimits } from './limits.js';

/**
 * Connections of one listener whose peer has not proven the token yet, in the order in which they
 * came. Strangers that say nothing can fill the room, but not keep the others out of it: one too
 * many, and the oldest goes.
 */
export class Unproven {
  readonly #connections = new Set<Connection>();

  add(connection: Connection): void {
    this.#connections.add(connection);
    if (this.#connections.size <= wireLimits.unprovenConnectionsMax) return;
    const [oldest] = this.#connections;
    const most = wireLimits.unprovenConnectionsMax;
    const text = `more than ${most} connections have not proven the token; the oldest goes`;
    oldest?.close(new ScriptdError('TOO_MANY_UNPROVEN', text));
    if (oldest) this.#connections.delete(oldest);
  }

  /** It has proven the token, or is closed. */
  delete(connection: Connection): void {
    this.#connections.delete(connection);
  }

  heartbeat(nowMs: number): void {
    for (const connection of this.#connections) connection.heartbeat(nowMs);
  }

  close(error?: ScriptdError): void {
    for (const connection of this.#connections) connection.close(error);
  }
}
