import type { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { Listener, Poller } from '../poll/poller.js';
import { Connection, closeReason } from '../wire/connection.js';
import type { Identity } from '../wire/handshake.js';
import type { ByteStream } from '../wire/stream.js';
import type { WireToken } from '../wire/token.js';
import type { Transport } from '../wire/transport.js';
import { Unproven } from '../wire/unproven.js';
import { type ClientRequests, ClientSession, type Watches } from './clients.js';
import type { Followers } from './followers.js';

export interface ClientListenerOptions {
  poller: Poller;
  /** At least one. */
  addresses: readonly Address[];
  transport: Transport;
  local: Identity;
  token: WireToken;
  requests: ClientRequests;
  watches: Watches;
  followers: Followers;
  log: Log;
}

/** Where http daemons connect: a session for each that has proven the token. */
export class ClientListener {
  readonly #options: ClientListenerOptions;
  readonly #listeners: readonly Listener[];
  readonly #unproven = new Unproven();
  readonly #sessions = new Map<Connection, ClientSession>();

  /**
   * Nobody is answered before `open`.
   *
   * @throws ScriptdError EADDRINUSE when another controller listens there, INSECURE_TRANSPORT
   */
  constructor(options: ClientListenerOptions) {
    this.#options = options;
    const { poller, addresses, transport, log } = options;
    const onError = (error: ScriptdError) => {
      log.error({ err: error }, 'connections cannot be accepted');
    };
    this.#listeners = addresses.map((address) => {
      transport.checked(address);
      return poller.listen(address, { mode: 0o600, paused: true, onError }, (socket) => {
        this.#accept(transport.accept(socket, address));
      });
    });
  }

  open(): void {
    for (const listener of this.#listeners) listener.resume();
  }

  heartbeat(nowMs: number): void {
    this.#unproven.heartbeat(nowMs);
    for (const connection of this.#sessions.keys()) connection.heartbeat(nowMs);
  }

  /** Takes no more; what is queued to the daemons still goes out. */
  end(): void {
    for (const listener of this.#listeners) listener.close();
    this.#unproven.close();
    for (const connection of this.#sessions.keys()) connection.end();
  }

  #accept(stream: ByteStream): void {
    const { local, token, requests, watches, followers, log } = this.#options;
    const options = { local, token, serves: ['client'] as const, pausesWhenBackedUp: true };
    const connection = new Connection(stream, 'acceptor', options, {
      onOpen: (peer, opened) => {
        log.info({ peer: peer.id }, `http daemon ${peer.id} connected`);
        this.#unproven.delete(opened);
        const session = new ClientSession(opened, requests, watches, followers, log);
        this.#sessions.set(opened, session);
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
