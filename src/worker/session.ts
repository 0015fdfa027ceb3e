import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import { Connection, type ConnectionHandlers, closeReason } from '../wire/connection.js';
import type { Identity, Peer } from '../wire/handshake.js';
import type { Message } from '../wire/messages.js';
import type { ByteStream } from '../wire/stream.js';
import type { WireToken } from '../wire/token.js';
import { Unproven } from '../wire/unproven.js';

/** The two static connections that a worker has with its controller. */
export type SessionChannel = 'receiver' | 'emitter';

export interface SessionEvents {
  onOpen(channel: SessionChannel, connection: Connection): void;
  onMessage(message: Message): void;
  onClose(channel: SessionChannel, connection: Connection): void;
}

/**
 * The connections of one controller, and those that have yet to prove that they are. A new
 * controller, or a new connection of the same, replaces what was there: the newest wins, since a
 * connection whose far end is gone may take long to say so.
 */
export class Session {
  readonly #local: Identity;
  readonly #token: WireToken;
  readonly #events: SessionEvents;
  readonly #log: Log;
  readonly #unproven = new Unproven();
  readonly #open = new Map<SessionChannel, { connection: Connection; peer: Peer }>();

  #onEmpty: () => void = () => undefined;

  constructor(local: Identity, token: WireToken, events: SessionEvents, log: Log) {
    this.#local = local;
    this.#token = token;
    this.#events = events;
    this.#log = log;
  }

  /** Connections of a controller that has proven the token. */
  get size(): number {
    return this.#open.size;
  }

  /** A connection that came in. */
  accept(stream: ByteStream): void {
    const serves = ['receiver', 'emitter'] as const;
    const options = { local: this.#local, token: this.#token, serves };
    this.#unproven.add(new Connection(stream, 'acceptor', options, this.#handlers()));
  }

  /** A connection that this worker makes. `onClosed` is called once, when it is over. */
  dial(stream: ByteStream, channel: SessionChannel, onClosed: () => void): void {
    const options = { local: this.#local, token: this.#token, channel };
    this.#unproven.add(new Connection(stream, 'initiator', options, this.#handlers(onClosed)));
  }

  #handlers(onClosed?: () => void): ConnectionHandlers {
    return {
      onOpen: (peer, opened) => this.#opened(peer, opened),
      onMessage: (message, from) => {
        if (this.#channelOf(from)) this.#events.onMessage(message);
      },
      onClose: (error, closed) => {
        this.#closed(error, closed);
        onClosed?.();
      },
    };
  }

  /** Called every `wireLimits.heartbeatMs`. */
  heartbeat(nowMs: number): void {
    this.#unproven.heartbeat(nowMs);
    for (const { connection } of this.#open.values()) connection.heartbeat(nowMs);
  }

  /** Closes all; what is queued on proven connections still goes out, for at most `lingerMs`. */
  async end(lingerMs: number): Promise<void> {
    this.#unproven.close();
    for (const { connection } of this.#open.values()) connection.end();
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const patience = setTimeout(resolve, lingerMs);
      this.#onEmpty = () => {
        clearTimeout(patience);
        resolve();
      };
    });
  }

  /** Closes all at once. */
  close(error?: ScriptdError): void {
    this.#unproven.close(error);
    this.#closeOpen(error);
  }

  #closeOpen(error?: ScriptdError): void {
    for (const { connection } of this.#open.values()) connection.close(error);
  }

  #opened(peer: Peer, connection: Connection): void {
    this.#unproven.delete(connection);
    const channel = peer.channel as SessionChannel;
    for (const [held, { connection: older, peer: olderPeer }] of [...this.#open]) {
      if (olderPeer.instance === peer.instance && held !== channel) continue;
      this.#forget(held, older);
      const text = `replaced by a newer ${channel} connection of ${peer.id} (${peer.instance})`;
      older.close(new ScriptdError('SUPERSEDED', text));
    }
    this.#open.set(channel, { connection, peer });
    this.#log.info(
      { channel, controller: peer.id, instance: peer.instance },
      'controller connected',
    );
    this.#events.onOpen(channel, connection);
  }

  #closed(error: ScriptdError, connection: Connection): void {
    this.#unproven.delete(connection);
    const channel = this.#channelOf(connection);
    this.#log.info({ ...closeReason(error), channel }, 'connection closed');
    if (channel) this.#forget(channel, connection);
    // The other one leads to the same process.
    if (channel && error.code === 'PEER_SILENT') this.#closeOpen(error);
  }

  #forget(channel: SessionChannel, connection: Connection): void {
    this.#open.delete(channel);
    if (this.#open.size === 0) this.#onEmpty();
    this.#events.onClose(channel, connection);
  }

  #channelOf(connection: Connection): SessionChannel | undefined {
    for (const [channel, entry] of this.#open) if (entry.connection === connection) return channel;
    return undefined;
  }
}
