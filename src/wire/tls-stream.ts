import { connect, type Server, type TLSSocket } from 'node:tls';
import { errorCode, errorMessage, ScriptdError } from '../errors.js';
import { pollLimits } from '../poll/limits.js';
import type { Socket } from '../poll/socket.js';
import { certifiedRolesOf } from './certificate.js';
import { SocketDuplex } from './socket-duplex.js';
import type { ByteStream, StreamHandlers } from './stream.js';
import type { TlsCredentials } from './tls-credentials.js';

/**
 * TLS 1.3 over a socket of the poller.
 *
 *     write() ─▶ TLSSocket ─▶ SocketDuplex ─▶ Socket ─▶ kernel
 *
 * Back-pressure holds in both directions: each stage takes no more than the next has room for. The
 * end of the socket is the end of the stream; a fault of TLS closes the socket.
 */
export class TlsStream implements ByteStream {
  readonly #socket: Socket;
  readonly #duplex: SocketDuplex;
  /** Once there is one: an acceptor gets it when the handshake is done. */
  #tls: TLSSocket | undefined;
  #handlers: StreamHandlers | undefined;
  #error: ScriptdError | undefined;
  #secured = false;
  #ending = false;
  #paused = false;
  #drainOwed = false;
  #corked = false;
  /** Given to TLS, and not yet taken by the socket. */
  #pendingBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#duplex = new SocketDuplex(socket);
    // What TLS still has to hand over when the peer finishes must find the stream open.
    socket.allowHalfOpen = true;
    socket.setHandlers({
      onData: (chunk) => this.#duplex.received(chunk),
      onEnd: () => this.#peerEnded(),
      onDrain: () => {
        this.#duplex.drained();
        this.#drained();
      },
      onClose: (error) => this.#closed(error),
    });
  }

  /** @param hostName that the certificate has to be for; undefined where the address is an IP's */
  static connecting(
    socket: Socket,
    credentials: TlsCredentials,
    hostName: string | undefined,
  ): TlsStream {
    const stream = new TlsStream(socket);
    const tls = connect({
      socket: stream.#duplex,
      secureContext: credentials.context,
      rejectUnauthorized: true,
      ...(hostName === undefined
        ? { checkServerIdentity: () => undefined }
        : { servername: hostName, host: hostName }),
    });
    tls.once('secureConnect', () => stream.#secure(tls));
    stream.#adopt(tls);
    return stream;
  }

  static accepted(socket: Socket, credentials: TlsCredentials): TlsStream {
    const stream = new TlsStream(socket);
    const server = credentials.takeServer();
    server.once('secureConnection', (tls: TLSSocket) => {
      release(server);
      credentials.returnServer(server);
      stream.#adopt(tls);
      stream.#secure(tls);
    });
    // A server whose handshake failed is not used again: it might tell of that later once more.
    server.on('tlsClientError', (error) => stream.#fail(error));
    // Documented for this: any Duplex may be given to a server that does not listen.
    server.emit('connection', stream.#duplex);
    return stream;
  }

  get queuedBytes(): number {
    return this.#pendingBytes + this.#socket.queuedBytes;
  }

  get certifiedRoles(): readonly string[] {
    return this.#tls && this.#secured ? certifiedRolesOf(this.#tls) : [];
  }

  setHandlers(handlers: StreamHandlers): void {
    this.#handlers = handlers;
  }

  write(chunk: Uint8Array): boolean {
    const tls = this.#tls;
    if (!tls || !this.#secured || this.#ending || this.#socket.closed) return false;
    this.#cork(tls);
    this.#pendingBytes += chunk.length;
    tls.write(chunk, () => {
      this.#pendingBytes -= chunk.length;
      this.#drained();
    });
    if (this.queuedBytes <= pollLimits.writeHighWaterBytes) return true;
    this.#drainOwed = true;
    return false;
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    if (this.#tls && this.#secured) this.#tls.end();
    else this.#socket.end();
  }

  close(): void {
    this.#socket.close();
  }

  pause(): void {
    this.#paused = true;
    if (this.#secured) this.#tls?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#secured) this.#tls?.resume();
  }

  #adopt(tls: TLSSocket): void {
    this.#tls = tls;
    tls.on('error', (error) => this.#fail(error));
  }

  #secure(tls: TLSSocket): void {
    this.#secured = true;
    tls.on('data', (chunk: Buffer) => {
      if (!this.#socket.closed) this.#handlers?.onData(chunk);
    });
    tls.on('end', () => {
      if (!this.#socket.closed) this.#handlers?.onEnd?.();
      this.end();
    });
    if (this.#paused) tls.pause();
    if (this.#ending) tls.end();
    else this.#handlers?.onOpen?.();
  }

  /** What one turn writes becomes one record, as far as it fits. */
  #cork(tls: TLSSocket): void {
    if (this.#corked) return;
    this.#corked = true;
    tls.cork();
    process.nextTick(() => {
      this.#corked = false;
      tls.uncork();
    });
  }

  #peerEnded(): void {
    this.#duplex.receivedEnd();
    if (this.#secured) return;
    // What it sent before, an alert perhaps, is on its way through TLS, and says more.
    setImmediate(() => {
      const gone = 'the peer closed the connection during the handshake';
      if (!this.#secured) this.#fail(Object.assign(new Error(gone), { code: 'ECONNRESET' }));
    });
  }

  #drained(): void {
    const above = this.#socket.queuedBytes > pollLimits.writeHighWaterBytes;
    if (!this.#drainOwed || above || this.#pendingBytes > 0 || this.#socket.closed) return;
    this.#drainOwed = false;
    this.#handlers?.onDrain?.();
  }

  #fail(error: Error): void {
    if (this.#socket.closed) return;
    this.#error ??= tlsError(error, this.#secured);
    this.#socket.close();
  }

  #closed(error: ScriptdError | undefined): void {
    this.#tls?.destroy();
    this.#duplex.destroy();
    this.#handlers?.onClose?.(error ?? this.#error);
  }
}

function release(server: Server): void {
  server.removeAllListeners('secureConnection');
  server.removeAllListeners('tlsClientError');
}

function tlsError(error: Error, secured: boolean): ScriptdError {
  const code = errorCode(error) ?? 'unknown';
  // OpenSSL's own sentence, where there is one, without the name of its source file.
  const { reason = errorMessage(error).split('\n')[0] } = error as { reason?: string };
  const hint = secured || code !== 'ECONNRESET' ? '' : '; does the other side speak TLS?';
  const text = `TLS with the peer failed: ${reason} (${code})${hint}`;
  return new ScriptdError('TLS_FAILED', text, { cause: error });
}
