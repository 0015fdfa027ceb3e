import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { Listener, Poller } from '../poll/poller.js';
import type { Socket } from '../poll/socket.js';
import { Connection, closeReason } from '../wire/connection.js';
import type { Identity } from '../wire/handshake.js';
import type { WireToken } from '../wire/token.js';
import { Unproven } from '../wire/unproven.js';
import { type ClientRequests, ClientSession, type Watches } from './clients.js';

export interface ClientListenerOptions {
  poller: Poller;
  address: Address;
  local: Identity;
  token: WireToken;
  requests: ClientRequests;
  watches: Watches;
  log: Log;
}

/** Where http daemons connect: a session for each that has proven the token. */
export class ClientListener {
  readonly #options: ClientListenerOptions;
  readonly #listener: Listener;
  readonly #unproven = new Unproven();
  readonly #sessions = new Map<Connection, ClientSession>();

  /**
   * Nobody is answered before `open`.
   *
   * @throws ScriptdError EADDRINUSE when another controller listens there
   */
  constructor(options: ClientListenerOptions) {
    this.#options = options;
    const { poller, address } = options;
    const how = { mode: 0o600, paused: true };
    this.#listener = poller.listen(address, how, (socket) => this.#accept(socket));
  }

  open(): void {
    this.#listener.resume();
  }

  heartbeat(nowMs: number): void {
    this.#unproven.heartbeat(nowMs);
    for (const connection of this.#sessions.keys()) connection.heartbeat(nowMs);
  }

  /** Takes no more; what is queued to the daemons still goes out. */
  end(): void {
    this.#listener.close();
    this.#unproven.close();
    for (const connection of this.#sessions.keys()) connection.end();
  }

  #accept(socket: Socket): void {
    const { local, token, requests, watches, log } = this.#options;
    const options = { local, token, serves: ['client'] as const, pausesWhenBackedUp: true };
    const connection = new Connection(socket, 'acceptor', options, {
      onOpen: (peer, opened) => {
        log.info({ peer: peer.id }, `http daemon ${peer.id} connected`);
        this.#unproven.delete(opened);
        this.#sessions.set(opened, new ClientSession(opened, requests, watches, log));
      },
      onMessage: (message, from) => this.#sessions.get(from)?.receive(message),
      onDrain: (drained) => this.#sessions.get(drained)?.drained(),
      onClose: (error, closed) => {
        const session = this.#sessions.get(closed);
        this.#unproven.delete(closed);
        this.#sessions.delete(closed);
        if (session) session.closed(error);
        else log.warn(closeReason(error), `closed a connection: ${error.message}`);
      },
    });
    this.#unproven.add(connection);
  }
}
