import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { onClientGone } from './client-gone.js';
import type { EventStreams, Stoppable } from './event-streams.js';
import { httpLimits } from './limits.js';
import { pulledInTime } from './pulled-in-time.js';

/**
 * Answers with an event stream, until its text ends, its client goes away or does not read on, or
 * all streams are closed.
 *
 * @param taskId which it is about; undefined: none
 * @param text of the events; ends soon after `events` is stopped
 * @throws Problem TOO_MANY_STREAMS
 */
export function sendEvents(
  reply: FastifyReply,
  streams: EventStreams,
  taskId: string | undefined,
  events: Stoppable,
  text: AsyncIterable<string | Buffer>,
): FastifyReply {
  const remove = streams.add(taskId, events, reply.request.caller);
  const release = onClientGone(reply, () => {
    remove();
    events.stop();
  });
  reply.raw.once('finish', () => {
    release();
    remove();
  });
  // Proxies that gather answers leave this one alone.
  reply.headers({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  const pulled = pulledInTime(text, httpLimits.eventStallMs, () => reply.raw.destroy());
  return reply.send(Readable.from(pulled, { objectMode: false }));
}
