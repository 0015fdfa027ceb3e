import type { FastifyInstance } from 'fastify';
import { errorCode } from '../errors.js';
import type { Log } from '../log.js';
import { currentCaller, onSameBehalf } from './callers.js';
import type { ControllerPort, TaskQuery } from './controller-port.js';
import { sendEvents } from './event-answer.js';
import type { EventStreams } from './event-streams.js';
import { httpLimits } from './limits.js';
import { ListStream, type Look } from './list-stream.js';
import { ListedPages } from './listed-pages.js';
import { followTasks } from './openapi/stream-operations.js';
import { readFirstPageQuery } from './task-query.js';
import type { Token } from './tokens.js';
import type { UnsentAnswers } from './unsent.js';

/** GET /v1/tasks/events: the first page of a list, and what changes in it. */
export function listEventRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  streams: EventStreams,
  unsent: UnsentAnswers,
  log: Log,
): void {
  const pages = new ListedPages();
  // No HEAD: it would never be answered.
  app.get(
    '/v1/tasks/events',
    { exposeHeadRoute: false, config: { operation: followTasks } },
    async (request, reply) => {
      const query = readFirstPageQuery(request.url);
      const { socket } = request.raw;
      const hold = (bytes: number) =>
        bytes < httpLimits.unsentBytesCounted ? () => undefined : unsent.hold(socket, bytes);
      const stream = new ListStream(lookAt(pages, controller, query, request.caller), log);
      return sendEvents(reply, streams, undefined, stream, stream.text(hold));
    },
  );
}

/** Looks for whoever asks now, with the rights that there are at each look. */
function lookAt(
  pages: ListedPages,
  controller: ControllerPort,
  query: TaskQuery,
  caller: Token | undefined,
): Look {
  // The stream looks when its client has taken what there was: in nobody's name by then.
  const groupNow = caller ? onSameBehalf(() => currentCaller().group) : () => undefined;
  const list = onSameBehalf(async (group: string | undefined) => {
    // It had to wait for its turn, and others of that group share what comes.
    return groupNow() === group ? controller.list(query) : undefined;
  });
  return async (isWanted) => {
    const group = groupNow();
    const key = JSON.stringify([group ?? null, query]);
    const { page, isShared } = pages.look(key, () => list(group), isWanted);
    try {
      const found = await page;
      // It may have taken long, and whoever asks have lost the right to it.
      return groupNow() === group ? found : undefined;
    } catch (error) {
      // What another was refused need not be refused here. And a controller that is being restarted
      // may take as long as it wants.
      if (isShared || errorCode(error) === 'CONTROLLER_UNAVAILABLE') return undefined;
      throw error;
    }
  };
}
