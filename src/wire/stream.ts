import type { ScriptdError } from '../errors.js';

export interface StreamHandlers {
  /** Both ends can speak. Of a stream that was accepted it need not come. */
  onOpen?(): void;
  /** `chunk` is valid only during the call. */
  onData(chunk: Buffer): void;
  /** The peer finished writing, and everything that it wrote has been delivered. */
  onEnd?(): void;
  /** What was queued has left after write() had returned false. */
  onDrain?(): void;
  /** Exactly once, the last call; in a later tick than what caused it. */
  onClose?(error: ScriptdError | undefined): void;
}

/** What a connection runs over: a socket of the poller, or TLS over one. */
export interface ByteStream {
  /** Bytes that write() took and that are not with the kernel. */
  readonly queuedBytes: number;
  /**
   * What the certificate says that its holder is, once the peer has shown one; undefined where
   * there is no TLS.
   */
  readonly certifiedRoles?: readonly string[] | undefined;
  setHandlers(handlers: StreamHandlers): void;
  /** False when so much is queued that the caller should wait for onDrain, or when it is closed. */
  write(chunk: Uint8Array): boolean;
  /** Sends what is queued, then ends this direction. */
  end(): void;
  /** At once; drops what is queued. Idempotent. */
  close(): void;
  /** No onData and no onEnd until resume(). What the peer sends waits with the kernel. */
  pause(): void;
  resume(): void;
}
