import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import { limits } from '../limits.js';
import { decodePayload, encodeFrame } from './codec.js';
import { FrameDecoder } from './frame.js';
import { type Action, Handshake, type HandshakeOptions, type Peer } from './handshake.js';
import { wireLimits } from './limits.js';
import type { Message } from './messages.js';
import type { ByteStream } from './stream.js';
import type { Side } from './token.js';
import { Traffic } from './traffic.js';

export interface ConnectionHandlers {
  /** The handshake is done: from here on `send` and `onMessage`. */
  onOpen(peer: Peer, connection: Connection): void;
  /** A message that this side may receive here. Pings are answered below this. */
  onMessage(message: Message, connection: Connection): void;
  /** `send` had returned false, and since then the peer has read all that was queued. */
  onDrain?(connection: Connection): void;
  /**
   * Exactly once, the last call. `error.code`: PEER_ENDED when the peer closed in order; else what
   * was wrong: FRAME_*, MESSAGE_INVALID, OUT_OF_STATE, BAD_PROOF, WRONG_PEER, PROTOCOL_VERSION,
   * HANDSHAKE_TIMEOUT, TLS_FAILED, PEER_SILENT, PEER_SLOW, CLOSED_HERE, or an errno's name.
   */
  onClose(error: ScriptdError, connection: Connection): void;
}

export interface ConnectionOptions extends HandshakeOptions {
  /**
   * While the peer does not read what is sent to it, it is not read from either. For the side that
   * answers requests only: were both sides to do it, they could wait for each other for ever.
   */
  pausesWhenBackedUp?: boolean;
  /** Where what goes over it is counted, with that of others. */
  traffic?: Traffic;
}

/** One connection: frames, handshake, pings and back-pressure over a stream. */
export class Connection {
  readonly #stream: ByteStream;
  readonly #handshake: Handshake;
  readonly #handlers: ConnectionHandlers;
  readonly #decoder = new FrameDecoder(limits.frameBytesBeforeProofMax);
  readonly #pausesWhenBackedUp: boolean;
  readonly #traffic: Traffic;
  #openedAtMs = performance.now();
  #heardAtMs = this.#openedAtMs;
  #pingSequence = 0;
  #linger: NodeJS.Timeout | undefined;
  #reason: ScriptdError | undefined;
  #closed = false;

  /** Takes over a stream that is connected (acceptor) or about to be (initiator). */
  constructor(
    stream: ByteStream,
    side: Side,
    options: ConnectionOptions,
    handlers: ConnectionHandlers,
  ) {
    this.#stream = stream;
    this.#handlers = handlers;
    this.#handshake = new Handshake(side, options);
    this.#pausesWhenBackedUp = options.pausesWhenBackedUp ?? false;
    this.#traffic = options.traffic ?? new Traffic();
    stream.setHandlers({
      onOpen: () => this.#perform(this.#handshake.begin()),
      onData: (chunk) => this.#read(chunk),
      onEnd: () => this.#close(new ScriptdError('PEER_ENDED', 'the peer closed the connection')),
      onDrain: () => this.#drained(),
      onClose: (error) => this.#ended(error),
    });
  }

  get open(): boolean {
    return this.#handshake.state === 'open' && !this.#closed && !this.#reason;
  }

  /** Known once the handshake is done. */
  get peer(): Peer | undefined {
    return this.open ? this.#handshake.peer : undefined;
  }

  /** When the peer last said something, or had read all that was queued to it. Monotonic milliseconds. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Bytes that wait for the peer to read. */
  get queuedBytes(): number {
    return this.#stream.queuedBytes;
  }

  /**
   * Queues a message; all of one turn leave in one system call. Returns false when the peer is
   * behind. On a connection that is not open the message is dropped: its end has been or will be
   * told by `onClose`.
   */
  send(message: Message): boolean {
    if (!this.open) return false;
    return this.#write(message);
  }

  /** Closes in order: what is queued still goes out, as far as the peer takes it in time. */
  end(): void {
    this.#reason ??= new ScriptdError('CLOSED_HERE', 'this side closed the connection');
    this.#stream.end();
    if (this.#closed) return;
    // Nobody looks at it any more.
    this.#linger ??= setTimeout(() => this.#stream.close(), wireLimits.lingerMs).unref();
  }

  /** Closes at once, dropping what is queued. */
  close(error = new ScriptdError('CLOSED_HERE', 'this side closed the connection')): void {
    this.#close(error);
  }

  /** Called every `heartbeatMs`: pings a quiet peer, gives up a silent one. */
  heartbeat(nowMs = performance.now()): void {
    if (this.#closed) return;
    if (this.#handshake.state !== 'open') {
      if (nowMs - this.#openedAtMs > wireLimits.handshakeMs) {
        this.#close(new ScriptdError('HANDSHAKE_TIMEOUT', 'the peer did not finish the handshake'));
      }
      return;
    }
    const silentMs = nowMs - this.#heardAtMs;
    const mayBeQuietMs = this.#handshake.channel === 'emitter' ? wireLimits.emitterQuietMs : 0;
    if (silentMs > wireLimits.silenceMs + mayBeQuietMs) {
      const text = `the peer said nothing for ${Math.round(silentMs)} ms, pings included`;
      this.#close(new ScriptdError('PEER_SILENT', text));
    } else if (silentMs >= wireLimits.pingAfterMs + mayBeQuietMs) {
      this.send({ kind: 'ping', sequence: ++this.#pingSequence });
    }
  }

  #read(chunk: Buffer): void {
    this.#heardAtMs = performance.now();
    this.#traffic.bytesIn += chunk.length;
    try {
      this.#decoder.push(chunk, (payload) => {
        this.#traffic.framesIn++;
        this.#receive(decodePayload(payload));
        return !this.#closed && !this.#reason;
      });
    } catch (error) {
      if (!(error instanceof ScriptdError)) throw error;
      this.#close(error);
    }
  }

  /** Who reads is alive, though nothing was read from it meanwhile. */
  #drained(): void {
    this.#heardAtMs = performance.now();
    this.#stream.resume();
    this.#handlers.onDrain?.(this);
  }

  #receive(message: Message): void {
    if (this.#handshake.state === 'open') {
      if (message.kind === 'ping') {
        if (this.queuedBytes > wireLimits.pongQueuedBytesMax) return;
        this.#write({ kind: 'pong', sequence: message.sequence });
        return;
      }
      if (message.kind === 'pong') return;
    }
    if (this.#handshake.state !== 'open') {
      this.#handshake.certifiedRoles = this.#stream.certifiedRoles;
    }
    this.#perform(this.#handshake.step(message));
  }

  #perform(actions: Action[]): void {
    for (const action of actions) {
      switch (action.type) {
        case 'send':
          this.#write(action.message);
          break;
        case 'opened':
          this.#decoder.frameBytesMax = limits.frameBytesMax;
          this.#handlers.onOpen(action.peer, this);
          break;
        case 'deliver':
          this.#handlers.onMessage(action.message, this);
          break;
        case 'refuse':
          this.#close(new ScriptdError(action.code, action.reason));
          break;
      }
    }
  }

  #write(message: Message): boolean {
    const frame = encodeFrame(message);
    this.#traffic.framesOut++;
    this.#traffic.bytesOut += frame.length;
    const fits = this.#stream.write(frame);
    if (!fits) {
      if (this.#stream.queuedBytes > wireLimits.queuedBytesMax) {
        const text = `the peer left ${this.#stream.queuedBytes} bytes unread`;
        this.#close(new ScriptdError('PEER_SLOW', text));
      } else if (this.#pausesWhenBackedUp) {
        this.#stream.pause();
      }
    }
    return fits;
  }

  /** The first cause wins; the stream's own end follows in a later turn. */
  #close(error: ScriptdError): void {
    this.#reason ??= error;
    this.#stream.close();
  }

  #ended(error: ScriptdError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#linger);
    const reason = this.#reason ?? error ?? new ScriptdError('PEER_ENDED', 'the peer went away');
    this.#handlers.onClose(reason, this);
  }
}

/** For logs: the code and the sentence of why a connection ended. */
export function closeReason(error: unknown): { code: string; reason: string } {
  return { code: errorCode(error) ?? 'UNKNOWN', reason: errorMessage(error) };
}
