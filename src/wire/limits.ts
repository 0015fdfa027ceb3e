import { invariant } from '../invariant.js';

/** Limits of connections. Durations in milliseconds. */
export const wireLimits = {
  /** From the connection to the end of its handshake. */
  handshakeMs: 5_000,
  /** How often connections are looked at. */
  heartbeatMs: 1_000,
  /** A peer that has been silent for so long when it is looked at is pinged. */
  pingAfterMs: 1_500,
  /** A peer that said nothing for so long, pings included, is lost. */
  silenceMs: 5_000,
  /**
   * How much longer a worker's emitter may be silent: both its connections end at the same process, of
   * which the receiver tells that it is there.
   */
  emitterQuietMs: 5_000,
  /** Connections of one listener whose peer has not proven the token yet. */
  unprovenConnectionsMax: 128,
  /** Servers for TLS handshakes that wait for the next one. */
  tlsServersKept: 32,
  /** How often files of certificates are looked at, at most. */
  tlsFilesLookMs: 10_000,
  /** Pings of a peer that has left more than so much unread are not answered: it has enough to hear of. */
  pongQueuedBytesMax: 1024 * 1024,
  /** A connection that was ended in order has so long to be closed by its peer, too. */
  lingerMs: 30_000,
  /** Queued to a peer that does not read; past it the connection is closed. */
  queuedBytesMax: 256 * 1024 * 1024,
} as const;

invariant(
  2 * (wireLimits.pingAfterMs + wireLimits.heartbeatMs) <= wireLimits.silenceMs,
  'a peer is pinged twice before it is lost',
);
