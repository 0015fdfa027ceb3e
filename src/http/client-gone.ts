import type { FastifyReply } from 'fastify';

/**
 * Calls `then` once if the client goes away before its answer is written, at once if it is gone
 * already. Returns what takes it back.
 */
export function onClientGone(reply: FastifyReply, then: () => void): () => void {
  const response = reply.raw;
  const { socket } = reply.request.raw;
  let isOver = false;
  const release = () => {
    isOver = true;
    response.off('close', check);
    socket.off('close', check);
  };
  const check = () => {
    if (isOver) return;
    release();
    if (!response.writableFinished) then();
  };
  response.once('close', check);
  // The answer to a request that was sent ahead has no socket yet, and is never told of its end.
  // As many as a client sends ahead.
  socket.setMaxListeners(0);
  socket.once('close', check);
  if (response.destroyed || socket.destroyed) check();
  return release;
}
