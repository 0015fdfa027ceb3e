import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Answers with bytes that all such answers share, but for a few. As a stream, because what is sent
 * in one piece is counted as memory that its reader owes (unsent.ts): these take none, and whoever
 * asks for what is open to everybody must not be able to fill that room.
 *
 * @param parts of the body, in order
 */
export function sendShared(reply: FastifyReply, type: string, ...parts: Buffer[]): FastifyReply {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  return reply.header('content-length', bytes).type(type).send(Readable.from(parts));
}
