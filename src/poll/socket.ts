import type { ScriptdError } from '../errors.js';
import { invariant } from '../invariant.js';
import { type ConnectAttempt, type Connecting, Connector } from './connector.js';
import { pollLimits } from './limits.js';
import {
  EAGAIN,
  ENOTCONN,
  ENOTSOCK,
  EOPNOTSUPP,
  EPIPE,
  EPOLL,
  NO_TOKEN,
  NOT_READ,
  type PeerCredentials,
} from './native-poller.js';
import type { Sender } from './outbox.js';
import { type PollHandle, type Reactor, surface } from './reactor.js';
import { closedError, systemError, translated } from './system-error.js';
import { WriteQueue } from './write-queue.js';

export interface SocketHandlers {
  /** The connection stands. Only for sockets that connect() made. */
  onOpen?(socket: Socket): void;
  /** `chunk` is a view of a buffer that is used again: valid only during the call. */
  onData(chunk: Buffer, socket: Socket): void;
  /** The peer finished writing, and everything that it wrote has been delivered. */
  onEnd?(socket: Socket): void;
  /** The queue is empty again after write() had returned false. */
  onDrain?(socket: Socket): void;
  /** Exactly once, the last call; in a later tick than what caused it. */
  onClose?(error: ScriptdError | undefined, socket: Socket): void;
}

/** Where a socket's descriptor comes from and what it can do. */
export interface SocketOrigin {
  /** For messages: 'unix:/run/x.sock', 'fd 7'. */
  name: string;
  readable: boolean;
  writable: boolean;
  isSocket: boolean;
}

const READING = 1;
const WRITING = 2;

/**
 * A stream socket, or one end of a pipe.
 *
 *     connecting ─▶ open ─▶ closed
 *          └──────────────────▲
 *
 * While open, its two directions end on their own: the reading one when the peer has finished
 * (onEnd), the writing one by end(). When both have ended it closes.
 */
export class Socket implements PollHandle, Sender, Connecting {
  token = NO_TOKEN;
  inOutbox = false;
  readonly queue = new WriteQueue();
  /** Set it to go on writing after the peer has finished; else onEnd is followed by end(). */
  allowHalfOpen = false;

  readonly #reactor: Reactor;
  readonly #origin: SocketOrigin;
  #handlers: SocketHandlers | undefined;
  #state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** While connecting, once it is known where to. */
  #connector: Connector | undefined;
  #readEnded: boolean;
  #writeEnded: boolean;
  /** end() was called: the writing direction ends once the queue is empty. */
  #ending = false;
  #paused = false;
  /** The kernel took less than was queued: waits until it is writable. */
  #blocked = false;
  /** write() returned false: onDrain is owed. */
  #drainOwed = false;
  /** What a batch had read when it was paused, and whether the end came then. */
  #heldChunk: Buffer | undefined;
  #heldEnd = false;
  #deliveredBytes = 0;
  /** What the epoll set was told: READING | WRITING. */
  #interest = 0;

  /** Made by Poller and Listener only. */
  constructor(reactor: Reactor, origin: SocketOrigin, handlers?: SocketHandlers) {
    this.#reactor = reactor;
    this.#origin = origin;
    this.#handlers = handlers;
    this.#readEnded = !origin.readable;
    this.#writeEnded = !origin.writable;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Bytes that write() took and the kernel has not. */
  get queuedBytes(): number {
    return this.queue.bytes;
  }

  get hasHandlers(): boolean {
    return this.#handlers !== undefined;
  }

  setHandlers(handlers: SocketHandlers): void {
    this.#handlers = handlers;
  }

  /**
   * Queues a chunk; everything that is written in one turn leaves in one system call at its end.
   * The chunk belongs to the socket until it is written: don't change it. The chunk of onData is an
   * exception and may be passed on as it is.
   *
   * @returns false when more than pollLimits.writeHighWaterBytes is queued: wait for onDrain. Also
   *   false, and the chunk is dropped, after close() or end(): onClose tells why.
   */
  write(chunk: Uint8Array | string): boolean {
    if (this.#state === 'closed' || this.#ending || this.#writeEnded) return false;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (bytes.length === 0) return !this.#drainOwed;
    this.queue.push(bytes);
    if (this.#state === 'open' && !this.#blocked) this.#reactor.outbox.add(this);
    else this.queue.copyLastOutOf(this.#reactor.readBuffer.buffer);
    if (this.queue.bytes <= pollLimits.writeHighWaterBytes) return true;
    this.#drainOwed = true;
    return false;
  }

  /** Sends what is queued, then ends our direction (a pipe: closes). Reading goes on. */
  end(): void {
    if (this.#state === 'closed' || this.#ending) return;
    this.#ending = true;
    if (this.#state === 'open' && this.queue.bytes === 0) this.#finishWriting();
  }

  /** Now; drops what is queued and what was not delivered. Idempotent. */
  close(): void {
    this.#close(undefined);
  }

  /** close(), with an error for onClose. */
  destroy(error: ScriptdError): void {
    this.#close(error);
  }

  /** No onData and no onEnd until resume(). What the peer sends waits in the kernel. */
  pause(): void {
    this.#paused = true;
    this.#updateInterest();
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return;
    this.#paused = false;
    if (this.#heldChunk === undefined && !this.#heldEnd) this.#updateInterest();
    else process.nextTick(() => this.#deliverHeld());
  }

  /**
   * Reads until nothing is left, the end, or `bytesMax`, and hands it to onData (and onEnd), also
   * while paused. Drains a pipe whose writer has exited.
   *
   * @returns the bytes delivered, and whether the end was reached (or the socket is closed)
   */
  readAvailable(bytesMax: number): { bytes: number; ended: boolean } {
    const before = this.#deliveredBytes;
    const paused = this.#paused;
    this.#paused = false;
    this.#deliverHeld();
    this.#reactor.advance(this);
    for (;;) {
      const room = bytesMax - (this.#deliveredBytes - before);
      if (room <= 0 || !this.#isReading()) break;
      const buffer = Buffer.allocUnsafe(Math.min(room, pollLimits.drainReadBytes));
      const result = this.#reactor.native.read(this.token, buffer);
      if (result === -EAGAIN) break;
      this.#handleRead(result, buffer);
    }
    this.#paused ||= paused;
    this.#updateInterest();
    const ended = this.#state === 'closed' || this.#readEnded;
    return { bytes: this.#deliveredBytes - before, ended };
  }

  /**
   * Who made the connection.
   *
   * @throws ScriptdError ENOTSUP when it is no Unix socket, CLOSED
   */
  peerCredentials(): PeerCredentials {
    this.#assertOpen();
    return translated(`peer of ${this.#origin.name}`, () =>
      this.#reactor.native.peerCredentials(this.token),
    );
  }

  /**
   * What every TCP connection gets: no delay (a turn's writes leave together anyway), a keep-alive, and
   * an end (ETIMEDOUT) to what is never acknowledged. Does nothing on what is not TCP.
   *
   * @throws ScriptdError CLOSED
   */
  tuneTcp(): void {
    this.#assertOpen();
    const { native } = this.#reactor;
    const { keepAliveIdleSeconds, keepAliveIntervalSeconds, keepAliveProbes } = pollLimits;
    const keepAlive = [keepAliveIdleSeconds, keepAliveIntervalSeconds, keepAliveProbes] as const;
    this.#checkOption(native.setNoDelay(this.token, true));
    if (!this.closed)
      this.#checkOption(native.setUserTimeout(this.token, pollLimits.userTimeoutMs));
    if (!this.closed) this.#checkOption(native.setKeepAlive(this.token, ...keepAlive));
  }

  /** For Poller: tries each in turn until one stands. */
  connect(attempts: ConnectAttempt[]): void {
    if (this.#state !== 'connecting') return;
    this.#connector = new Connector(this.#reactor, this.#origin.name, attempts, this);
    this.#connector.start();
  }

  /** For Connector. */
  connected(token: number): void {
    this.#connector = undefined;
    this.#state = 'open';
    this.#interest = WRITING;
    this.#register(token);
    this.tuneTcp();
    if (this.closed) return;
    this.#updateInterest();
    if (this.closed) return;
    try {
      this.#handlers?.onOpen?.(this);
    } finally {
      if (this.queue.bytes > 0) this.#reactor.outbox.add(this);
      else if (this.#ending) this.#finishWriting();
    }
  }

  /** For Connector. */
  notConnected(error: ScriptdError | undefined): void {
    this.#close(error);
  }

  /** For Poller and Listener: the connection stands and is being read. */
  open(token: number): void {
    this.#state = 'open';
    this.#interest = this.#origin.readable ? READING : 0;
    this.#register(token);
    this.#updateInterest();
  }

  /** For Reactor. */
  handleEvent(events: number, result: number, offset: number): void {
    if (result !== NOT_READ && result !== -EAGAIN) {
      this.#handleRead(result, this.#reactor.chunk(offset, Math.max(result, 0)));
    }
    if (this.closed) return;
    if (this.#blocked && (events & (EPOLL.out | EPOLL.err | EPOLL.hup)) !== 0) {
      this.#reactor.outbox.add(this);
    } else if (result === NOT_READ && (events & (EPOLL.err | EPOLL.hup)) !== 0) {
      this.#handleHangUp();
    }
  }

  /** For Outbox. */
  written(result: number): void {
    if (this.#state !== 'open') return;
    if (result < 0 && result !== -EAGAIN) {
      this.#fail('write', -result);
      return;
    }
    this.queue.consume(Math.max(result, 0));
    const wasBlocked = this.#blocked;
    this.#blocked = this.queue.bytes > 0;
    this.#updateInterest();
    // The queue outlives this batch: the read buffer must not lie in it.
    if (!this.#blocked) this.#drained();
    else if (!wasBlocked) this.queue.copyOutOf(this.#reactor.readBuffer.buffer);
  }

  #drained(): void {
    if (this.#ending) {
      this.#finishWriting();
      return;
    }
    if (!this.#drainOwed) return;
    this.#drainOwed = false;
    try {
      this.#handlers?.onDrain?.(this);
    } catch (error) {
      surface(error);
    }
  }

  /** `chunk` holds what was read when `result` is positive. */
  #handleRead(result: number, chunk: Buffer): void {
    if (result < 0) {
      this.#fail('read', -result);
    } else if (this.#paused) {
      if (result > 0) this.#heldChunk = Buffer.from(chunk);
      else this.#heldEnd = true;
    } else if (result > 0) {
      this.#deliver(chunk.length === result ? chunk : chunk.subarray(0, result));
    } else {
      this.#deliverEnd();
    }
  }

  #deliver(chunk: Buffer): void {
    invariant(this.#handlers, 'a socket has its handlers before its first data');
    this.#deliveredBytes += chunk.length;
    this.#handlers.onData(chunk, this);
  }

  #deliverEnd(): void {
    this.#readEnded = true;
    this.#updateInterest();
    try {
      this.#handlers?.onEnd?.(this);
    } finally {
      if (!this.allowHalfOpen) this.end();
      this.#closeWhenBothEnded();
    }
  }

  #deliverHeld(): void {
    const chunk = this.#heldChunk;
    if (chunk !== undefined && !this.#paused && !this.closed) {
      this.#heldChunk = undefined;
      this.#deliver(chunk);
    }
    if (this.#heldEnd && !this.#paused && !this.closed) {
      this.#heldEnd = false;
      this.#deliverEnd();
    }
    this.#updateInterest();
  }

  /**
   * EPOLLHUP or EPOLLERR while nothing is read or written. The native side has taken the descriptor
   * out of the epoll set, so it is told once; resume() puts it back.
   */
  #handleHangUp(): void {
    if (!this.#readEnded) return; // paused: there may be data; reading it will tell
    if (!this.#origin.isSocket) {
      this.#fail('poll', EPIPE); // the reader of this pipe is gone
      return;
    }
    const error = this.#reactor.native.takeError(this.token);
    if (error > 0) this.#fail('poll', error);
    else this.#close(undefined);
  }

  #finishWriting(): void {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    if (this.#origin.isSocket) {
      const result = this.#reactor.native.shutdownWrite(this.token);
      // ENOTCONN: the peer is gone already, and reading will tell how.
      if (result < 0 && result !== -ENOTCONN) this.#fail('shutdown', -result);
    }
    this.#closeWhenBothEnded();
  }

  #closeWhenBothEnded(): void {
    if (this.#readEnded && this.#writeEnded) this.#close(undefined);
  }

  #isReading(): boolean {
    return this.#state === 'open' && !this.#readEnded && !this.#paused;
  }

  #updateInterest(): void {
    if (this.#state !== 'open') return;
    const interest = (this.#isReading() ? READING : 0) | (this.#blocked ? WRITING : 0);
    if (interest === this.#interest) return;
    this.#interest = interest;
    const reading = (interest & READING) !== 0;
    const writing = (interest & WRITING) !== 0;
    const result = this.#reactor.native.setInterest(this.token, reading, writing);
    if (result < 0) this.#fail('epoll_ctl', -result);
  }

  #checkOption(result: number): void {
    if (result >= 0 || result === -EOPNOTSUPP || result === -ENOTSOCK) return;
    this.#fail('setsockopt', -result);
  }

  #assertOpen(): void {
    if (this.#state !== 'open') throw closedError(this.#origin.name);
  }

  #fail(syscall: string, errno: number): void {
    this.#close(systemError(this.#origin.name, syscall, errno));
  }

  #register(token: number): void {
    this.token = token;
    this.#reactor.register(this);
  }

  #unregister(): void {
    this.#connector?.cancel();
    if (this.token === NO_TOKEN) return;
    this.#reactor.remove(this);
    this.token = NO_TOKEN;
  }

  #close(error: ScriptdError | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#unregister();
    this.queue.clear();
    this.#heldChunk = undefined;
    this.#heldEnd = false;
    process.nextTick(() => this.#handlers?.onClose?.(error, this));
  }
}
