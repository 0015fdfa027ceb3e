import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { Listener, Poller } from '../poll/poller.js';
import { Connection, closeReason } from '../wire/connection.js';
import type { Identity, Peer } from '../wire/handshake.js';
import { wireLimits } from '../wire/limits.js';
import type { Message, MessageOf, Unwelcome } from '../wire/messages.js';
import type { ByteStream } from '../wire/stream.js';
import type { WireToken } from '../wire/token.js';
import type { Transport } from '../wire/transport.js';
import { Unproven } from '../wire/unproven.js';
import type { Fleet } from './fleet.js';
import type { FromEmitter, WorkerLink } from './worker-link.js';

export interface JoinListenerOptions {
  poller: Poller;
  transport: Transport;
  address: Address;
  local: Identity;
  token: WireToken;
  /** Types that a worker may be of. */
  types: { has(type: string): boolean };
  fleet: Fleet;
  log: Log;
}

/** A worker that has not both its connections yet, or has not said what it has. */
interface Arrival {
  peer: Peer;
  sinceMs: number;
  receiver?: Connection;
  emitter?: Connection;
  inventory?: MessageOf<'inventory'>;
  early: FromEmitter[];
}

/**
 * Where workers connect that the controller does not connect to. Each makes its two connections,
 * and once it is whole it belongs to the fleet.
 */
export class JoinListener {
  readonly #options: JoinListenerOptions;
  readonly #listener: Listener;
  readonly #unproven = new Unproven();
  readonly #arrivals = new Map<string, Arrival>();
  /** Whose the connections are that belong to the fleet. */
  readonly #links = new Map<Connection, WorkerLink>();

  /** @throws ScriptdError EADDRINUSE, BAD_ADDRESS, INSECURE_TRANSPORT */
  constructor(options: JoinListenerOptions) {
    this.#options = options;
    const { poller, transport, address, log } = options;
    transport.checked(address);
    const onError = (error: ScriptdError) => {
      log.error({ err: error }, 'workers that join cannot be accepted');
    };
    this.#listener = poller.listen(address, { onError }, (socket) => {
      this.#accept(transport.accept(socket, address));
    });
  }

  heartbeat(nowMs: number): void {
    this.#unproven.heartbeat(nowMs);
    for (const [key, { receiver, emitter, sinceMs }] of this.#arrivals) {
      receiver?.heartbeat(nowMs);
      emitter?.heartbeat(nowMs);
      if (nowMs - sinceMs > wireLimits.handshakeMs) {
        const text = 'a worker made one connection, or said nothing of itself';
        this.#arrivals.delete(key);
        receiver?.close(new ScriptdError('HANDSHAKE_TIMEOUT', text));
        emitter?.close(new ScriptdError('HANDSHAKE_TIMEOUT', text));
      }
    }
  }

  /** Takes in no more. Workers that have joined are the fleet's. */
  end(): void {
    this.#listener.close();
    this.#unproven.close();
    for (const { receiver, emitter } of this.#arrivals.values()) {
      receiver?.close();
      emitter?.close();
    }
  }

  #accept(stream: ByteStream): void {
    const { local, token } = this.#options;
    const options = { local, token, serves: ['receiver', 'emitter'] as const };
    const connection = new Connection(stream, 'acceptor', options, {
      onOpen: (peer, opened) => this.#opened(peer, opened),
      onMessage: (message, from) => this.#receive(message, from),
      onClose: (error, closed) => this.#closed(error, closed),
    });
    this.#unproven.add(connection);
  }

  #opened(peer: Peer, connection: Connection): void {
    this.#unproven.delete(connection);
    const key = keyOf(peer);
    const sinceMs = performance.now();
    const arrival: Arrival = this.#arrivals.get(key) ?? { peer, sinceMs, early: [] };
    this.#arrivals.set(key, arrival);
    const channel = peer.channel as 'receiver' | 'emitter';
    const older = arrival[channel];
    arrival[channel] = connection;
    older?.close(new ScriptdError('SUPERSEDED', `a newer ${channel} connection of ${peer.id}`));
    this.#admit(arrival);
  }

  #receive(message: Message, connection: Connection): void {
    const link = this.#links.get(connection);
    if (link) {
      link.received(message, connection);
      return;
    }
    const arrival = this.#arrivalOf(connection);
    if (!arrival) return;
    switch (message.kind) {
      case 'inventory':
        if (arrival.inventory) {
          connection.close(new ScriptdError('OUT_OF_STATE', 'a second inventory came'));
        } else {
          arrival.inventory = message;
          this.#admit(arrival);
        }
        break;
      case 'draining':
      case 'started':
      case 'recalled':
      case 'result':
      case 'output':
        if (arrival.inventory) arrival.early.push(message);
        else connection.close(new ScriptdError('OUT_OF_STATE', `${message.kind} before inventory`));
        break;
      default:
        break;
    }
  }

  /** Once it is whole: into the fleet, or away. */
  #admit({ peer, receiver, emitter, inventory, early }: Arrival): void {
    if (!receiver?.open || !emitter?.open || !inventory) return;
    const { fleet, types } = this.#options;
    this.#arrivals.delete(keyOf(peer));
    const { id: name, instance } = peer;
    const { type, slots } = inventory;
    const unknown = `the controller knows of no type ${type}: name it under \`runtimes\` there`;
    const why: Unwelcome | undefined = types.has(type)
      ? fleet.joinRefusal(name, instance)
      : { code: 'UNKNOWN_TYPE', reason: unknown };
    if (why) {
      this.#options.log.warn(
        { worker: name, code: why.code },
        `turned away worker ${name}: ${why.reason}`,
      );
      receiver.send({ kind: 'unwelcome', ...why });
      receiver.end();
      emitter.end();
      return;
    }
    const seat = { name, type, slots, local: false };
    const link = fleet.join(seat, { receiver, emitter, peer, inventory, early });
    this.#links.set(receiver, link);
    this.#links.set(emitter, link);
  }

  #closed(error: ScriptdError, connection: Connection): void {
    this.#unproven.delete(connection);
    const link = this.#links.get(connection);
    if (link) {
      this.#links.delete(connection);
      link.closed(error, connection);
      return;
    }
    const arrival = this.#arrivalOf(connection);
    if (arrival) {
      // Its other connection is of no use alone.
      this.#arrivals.delete(keyOf(arrival.peer));
      const other = arrival.receiver === connection ? arrival.emitter : arrival.receiver;
      other?.close(error);
    }
    this.#options.log.info(closeReason(error), `closed a connection: ${error.message}`);
  }

  #arrivalOf(connection: Connection): Arrival | undefined {
    const { peer } = connection;
    const arrival = peer && this.#arrivals.get(keyOf(peer));
    if (arrival) return arrival;
    // One that is closed has no peer any more.
    for (const candidate of this.#arrivals.values()) {
      if (candidate.receiver === connection || candidate.emitter === connection) return candidate;
    }
    return undefined;
  }
}

function keyOf({ id, instance }: Peer): string {
  return JSON.stringify([id, instance]);
}
