import { Backoff } from '../backoff.js';
import type { Clock } from '../clock.js';
import { ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
import type { Address } from '../poll/address.js';
import type { Poller } from '../poll/poller.js';
import type { AttemptKey } from '../task.js';
import { Connection, closeReason } from '../wire/connection.js';
import type { Identity, Peer } from '../wire/handshake.js';
import type { Message, MessageOf } from '../wire/messages.js';
import type { WireToken } from '../wire/token.js';
import type { Traffic } from '../wire/traffic.js';
import type { Transport } from '../wire/transport.js';
import { controllerLimits } from './limits.js';
import type { WorkerSeat } from './manager.js';

export type FromEmitter = MessageOf<
  'draining' | 'started' | 'recalled' | 'result' | 'output' | 'vitals'
>;

export interface WorkerLinkHandlers {
  /** Both connections stand and the worker has said what it has. */
  onUp(inventory: MessageOf<'inventory'>, instance: string): void;
  onMessage(message: FromEmitter): void;
  /** Was up and is not any more. */
  onDown(end: { unresponsive: boolean; inventory: MessageOf<'inventory'> }): void;
  /** Nobody answers at the place. */
  onUnreachable(): void;
  /** Somebody listens at the place and does not even finish the handshake. */
  onUnresponsive(): void;
}

export interface WorkerLinkOptions {
  poller: Poller;
  local: Identity;
  token: WireToken;
  transport: Transport;
  seat: WorkerSeat;
  traffic: Traffic;
  /** Where it listens. Undefined: it connects to us. */
  address?: Address;
  clock: Clock;
  log: Log;
}

/** A worker that has connected to us: both connections stand, and it has said what it has. */
export interface Joined {
  receiver: Connection;
  emitter: Connection;
  peer: Peer;
  inventory: MessageOf<'inventory'>;
  /** What its emitter sent since then. */
  early: FromEmitter[];
}

/** The pair of connections to one worker. One that closes takes the other with it. */
interface Pair {
  receiver: Connection;
  emitter: Connection;
  peers: Partial<Record<'receiver' | 'emitter', Peer>>;
  /** What the worker said of itself, as soon as it did. */
  inventory: MessageOf<'inventory'> | undefined;
  /** The same, once both connections stand as well. */
  up: MessageOf<'inventory'> | undefined;
  /** Since when. Milliseconds since 1970-01-01 UTC; 0 before. */
  upAt: number;
  /** What the emitter sent before the receiver's handshake was done. */
  early: FromEmitter[];
}

/**
 * One worker as the controller's peer, and the two connections with it. Where the worker listens, it
 * is connected to again, with backoff, whenever they are lost; one that joins does so itself, and
 * gets another link.
 */
export class WorkerLink {
  readonly seat: WorkerSeat;
  /** Where it listens. Undefined: it has joined. */
  readonly address: Address | undefined;
  readonly #options: WorkerLinkOptions;
  readonly #handlers: WorkerLinkHandlers;
  #downSinceMs: number;
  readonly #backoff = new Backoff(controllerLimits.reconnectMsMin, controllerLimits.reconnectMsMax);
  #pair: Pair | undefined;
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Told to go: its end is no surprise. */
  #dismissed = false;
  /** Told to go by its manager, which may want another in its place. */
  #drained = false;
  #onGone: () => void = () => undefined;
  /** Results that are to be acknowledged. */
  #owed: AttemptKey[] = [];
  #owedTimer: NodeJS.Timeout | undefined;

  constructor(options: WorkerLinkOptions, handlers: WorkerLinkHandlers) {
    this.seat = options.seat;
    this.address = options.address;
    this.#options = options;
    this.#handlers = handlers;
    this.#downSinceMs = options.clock.monotonicMs();
  }

  /** What the worker said of itself; undefined while it is not connected. */
  get up(): MessageOf<'inventory'> | undefined {
    return this.#pair?.up;
  }

  /** Since when it has been connected; 0 while it is not. Milliseconds since 1970-01-01 UTC. */
  get connectedAt(): number {
    return this.#pair?.upAt ?? 0;
  }

  /** Since when it has not been connected; undefined while it is. Monotonic milliseconds. */
  get absentSinceMs(): number | undefined {
    return this.up ? undefined : this.#downSinceMs;
  }

  /** When it was last heard of; 0 while it is not connected. Monotonic milliseconds. */
  get heardAtMs(): number {
    const { receiver, emitter } = this.#pair ?? {};
    return Math.max(receiver?.heardAtMs ?? 0, emitter?.heardAtMs ?? 0);
  }

  /** Tells one process of that name from the next; undefined while it is not connected. */
  get instance(): string | undefined {
    return this.#pair?.peers.emitter?.instance;
  }

  connect(): void {
    const { address } = this;
    if (!address || this.#stopped || this.#pair) return;
    clearTimeout(this.#retry);
    const peers = {};
    // The worker reads tasks from the one and writes results to the other.
    const receiver = this.#open(address, 'receiver');
    const emitter = this.#open(address, 'emitter');
    const nothing = { inventory: undefined, up: undefined, upAt: 0, early: [] };
    this.#pair = { receiver, emitter, peers, ...nothing };
  }

  /** The worker has come to us. What its connections say from now on goes to `received`, `closed`. */
  take({ receiver, emitter, peer, inventory, early }: Joined): void {
    const peers = { receiver: peer, emitter: peer };
    this.#pair = { receiver, emitter, peers, inventory, up: undefined, upAt: 0, early };
    this.#announce(this.#pair);
  }

  /** Gives way to a newer pair of connections of the same worker, at once. */
  supersede(): void {
    const emitter = this.#pair?.emitter;
    const text = `newer connections of ${this.seat.name} replace these`;
    if (emitter) this.closed(new ScriptdError('SUPERSEDED', text), emitter);
  }

  /** Tells the worker to finish what it has and go. Fulfilled when it is not connected any more. */
  dismiss(): Promise<void> {
    this.#dismissed = true;
    clearTimeout(this.#retry);
    const pair = this.#pair;
    if (!pair) return Promise.resolve();
    this.#payOwed();
    pair.receiver.send({ kind: 'drain' });
    return new Promise((resolve) => {
      this.#onGone = resolve;
    });
  }

  /** Tells the worker to finish what it has and go. Whoever comes after it is connected to. */
  drain(): void {
    if (this.#pair?.receiver.send({ kind: 'drain' })) this.#drained = true;
  }

  /** To the worker's task receiver. False when it is behind or gone. */
  send(message: MessageOf<'execute' | 'cancel' | 'recall' | 'follow' | 'unfollow'>): boolean {
    if (this.#owed.length > 0) this.#payOwed();
    return this.#pair?.receiver.send(message) ?? false;
  }

  /**
   * To the worker's result emitter: with the next message to its receiver, so that it wakes up once
   * for both, or after `acknowledgeMs`.
   */
  acknowledge(result: AttemptKey): void {
    if (!this.#pair) return;
    this.#owed.push(result);
    if (this.#owed.length >= controllerLimits.acknowledgedMax) this.#payOwed();
    // It is left to run when they go earlier: one timer serves many.
    this.#owedTimer ??= setTimeout(() => {
      this.#owedTimer = undefined;
      this.#payOwed();
    }, controllerLimits.acknowledgeMs);
  }

  #payOwed(): void {
    const results = this.#owed;
    this.#owed = [];
    if (results.length > 0) this.#pair?.emitter.send({ kind: 'acknowledge', results });
  }

  heartbeat(nowMs: number): void {
    this.#pair?.receiver.heartbeat(nowMs);
    this.#pair?.emitter.heartbeat(nowMs);
  }

  /** Cuts the worker off; it is connected to again. */
  drop(reason: string): void {
    this.#pair?.receiver.close(new ScriptdError('DROPPED', reason));
  }

  /** Ends for good. The worker goes on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#payOwed();
    this.#pair?.receiver.end();
    this.#pair?.emitter.end();
  }

  #open(address: Address, channel: 'receiver' | 'emitter'): Connection {
    const { poller, transport, local, token, traffic } = this.#options;
    const stream = transport.connect(poller, address);
    const options = { local, token, channel, traffic };
    return new Connection(stream, 'initiator', options, {
      onOpen: (peer) => this.#opened(channel, peer),
      onMessage: (message, connection) => this.received(message, connection),
      onClose: (error, connection) => this.closed(error, connection),
    });
  }

  #opened(channel: 'receiver' | 'emitter', peer: Peer): void {
    const pair = this.#pair;
    if (!pair) return;
    pair.peers[channel] = peer;
    const { receiver, emitter } = pair.peers;
    if (receiver && emitter && receiver.instance !== emitter.instance) {
      // A worker was replaced by its successor between the two.
      pair.receiver.close(new ScriptdError('WRONG_PEER', 'two workers answered at one place'));
    }
    this.#announce(pair);
  }

  received(message: Message, connection: Connection): void {
    const pair = this.#pair;
    if (!pair || pair.emitter !== connection) return;
    switch (message.kind) {
      case 'inventory':
        if (pair.inventory) {
          pair.emitter.close(new ScriptdError('OUT_OF_STATE', 'a second inventory came'));
        } else if (message.type !== this.seat.type) {
          const text = `a ${message.type} worker answers where ${this.seat.type} should`;
          pair.emitter.close(new ScriptdError('WRONG_PEER', text));
        } else {
          pair.inventory = message;
          this.#announce(pair);
        }
        break;
      case 'draining':
      case 'started':
      case 'recalled':
      case 'result':
      case 'output':
      case 'vitals':
        if (pair.up) this.#handlers.onMessage(message);
        else if (pair.inventory) pair.early.push(message);
        else
          pair.emitter.close(new ScriptdError('OUT_OF_STATE', `${message.kind} before inventory`));
        break;
      default:
        break;
    }
  }

  /** Up once both connections are open and the inventory is here, whichever came last. */
  #announce(pair: Pair): void {
    if (pair.up || !pair.inventory || !pair.receiver.open || !pair.emitter.open) return;
    pair.up = pair.inventory;
    pair.upAt = this.#options.clock.wallMs();
    this.#backoff.reset();
    this.#handlers.onUp(pair.up, pair.peers.emitter?.instance ?? '');
    // It was not there yet when it was to be told.
    if (this.#dismissed) pair.receiver.send({ kind: 'drain' });
    for (const message of pair.early.splice(0)) this.#handlers.onMessage(message);
  }

  closed(error: ScriptdError, connection: Connection): void {
    const pair = this.#pair;
    if (!pair || (pair.receiver !== connection && pair.emitter !== connection)) return;
    this.#pair = undefined;
    // On its next connection it tells of them again.
    this.#owed = [];
    const drained = this.#drained;
    this.#drained = false;
    pair.receiver.close();
    pair.emitter.close();
    this.#onGone();
    if (this.#stopped) return;
    const { code, reason } = closeReason(error);
    const { log, seat } = this.#options;
    if (pair.up) {
      this.#downSinceMs = this.#options.clock.monotonicMs();
      if (this.#dismissed || drained)
        log.info({ worker: seat.name }, `worker ${seat.name} has gone`);
      else log.warn({ worker: seat.name, code }, `lost worker ${seat.name}: ${reason}`);
      const unresponsive = code === 'PEER_SILENT' || code === 'DROPPED';
      this.#handlers.onDown({ unresponsive, inventory: pair.up });
    } else if (code === 'ECONNREFUSED' || code === 'ENOENT') {
      this.#handlers.onUnreachable();
    } else {
      log.warn({ worker: seat.name, code }, `no connection to worker ${seat.name}: ${reason}`);
      if (code === 'HANDSHAKE_TIMEOUT') this.#handlers.onUnresponsive();
    }
    if (this.#dismissed || !this.address) return;
    this.#retry = setTimeout(() => this.connect(), this.#backoff.takeMs());
  }
}
