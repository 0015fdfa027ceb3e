import type { FastifyInstance } from 'fastify';
import type { Log } from '../log.js';
import type { TaskCursor } from '../task-cursor.js';
import { onSameBehalf } from './callers.js';
import type { ControllerPort } from './controller-port.js';
import { sendEvents } from './event-answer.js';
import { readLastEventId, refuseAhead } from './event-id.js';
import type { EventStreams } from './event-streams.js';
import { followTask } from './openapi/stream-operations.js';
import { TaskEvents } from './task-events.js';
import { checkedTaskId } from './tasks.js';
import type { UnsentAnswers } from './unsent.js';

/** GET /v1/tasks/ID/events: what comes of a task, while it comes. */
export function eventRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  streams: EventStreams,
  unsent: UnsentAnswers,
  log: Log,
): void {
  // No HEAD: it would be answered when the task is finished.
  app.get<{ Params: { id: string } }>(
    '/v1/tasks/:id/events',
    { exposeHeadRoute: false, config: { operation: followTask } },
    async (request, reply) => {
      const cursor = readLastEventId(request);
      const task = await controller.get(checkedTaskId(request.params.id));
      refuseAhead(cursor, task.attempt, task.id);
      const isTold = cursor.state === 'end' && cursor.attempt === task.attempt;
      // By this a browser knows that it need not connect again.
      if (isTold && task.state === 'finished') return reply.code(204).send();
      // The stream asks when its client has taken what there was: in nobody's name by then.
      const source = {
        get: onSameBehalf((id: string) => controller.get(id)),
        follow: onSameBehalf((id: string, after: TaskCursor) => controller.follow(id, after)),
      };
      const events = new TaskEvents(source, task, cursor, log);
      const text = events.text((bytes) => unsent.add(reply, bytes));
      return sendEvents(reply, streams, task.id, events, text);
    },
  );
}
