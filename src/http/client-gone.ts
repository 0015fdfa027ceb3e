import type { FastifyReply } from 'fastify';

/**
 * Calls `then` once if the client goes away before its answer is written, at once if it is gone
 * already. Returns what takes it back.
 */
export function onClientGone(reply: FastifyReply, then: () => void): () => void {
  const response = reply.raw;
  const check = () => {
    if (!response.writableFinished) then();
  };
  response.once('close', check);
  if (response.destroyed) check();
  return () => response.off('close', check);
}
