import { invariant } from '../invariant.js';

/** The limits of the poller and its sockets. */
export const pollLimits = {
  /**
   * Events taken from the kernel at once; the next batch takes the rest. Small: peers can go on
   * with the answers of one batch while the next is read.
   */
  eventsMax: 64,
  /** The buffer into which one batch reads, shared by all its streams. */
  readBufferBytes: 512 * 1024,
  /** The buffer from which one flush writes small chunks, shared by all its sockets. */
  writeBufferBytes: 256 * 1024,
  /** What one socket queued in a turn is copied into that buffer up to this size; more is gathered. */
  writeCopyBytesMax: 16 * 1024,
  /** Chunks that one gathered write takes (kChunksMax in native/epoll/poller_binding.cc). */
  writeChunksMax: 64,
  /** write() says false once a socket has more than this queued. */
  writeHighWaterBytes: 1024 * 1024,
  /** One read of readAvailable(). */
  drainReadBytes: 64 * 1024,
  /** Connections that one wake-up takes from a listener, so that the others are not kept waiting. */
  acceptsPerWakeMax: 64,
  /** A listener that can't accept (no descriptors left, no memory) tries again after this. */
  acceptPauseMs: 100,
  /** Connections that the kernel holds for a listener; it lowers this to net.core.somaxconn. */
  backlog: 1024,
  /** A TCP peer that was quiet for so long is asked whether it is there (tcp(7)), again and again. */
  keepAliveIdleSeconds: 10,
  keepAliveIntervalSeconds: 5,
  /** Questions without an answer before the connection is closed. */
  keepAliveProbes: 3,
  /** What TCP sent and the peer's kernel has not acknowledged for so long closes the connection. */
  userTimeoutMs: 20_000,
  /** Access to a Unix socket's file: its owner. */
  unixSocketMode: 0o600,
  /** sun_path, less its final NUL (unix(7)). */
  unixPathBytesMax: 107,
} as const;

invariant(
  pollLimits.writeCopyBytesMax <= pollLimits.writeBufferBytes,
  'what is copied must fit into the write buffer',
);
