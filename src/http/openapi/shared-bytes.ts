import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/**
 * Answers with bytes that all such answers share. As a stream, because what is sent in one piece is
 * counted as memory that its reader owes (unsent.ts): these take none, and whoever asks for what is
 * open to everybody must not be able to fill that room.
 */
export function sendShared(reply: FastifyReply, type: string, bytes: Buffer): FastifyReply {
  return reply
    .header('content-length', bytes.length)
    .type(type)
    .send(Readable.from([bytes]));
}
