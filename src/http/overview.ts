import type { FastifyInstance } from 'fastify';
import type { Log } from '../log.js';
import { onSameBehalf } from './callers.js';
import type { ControllerPort } from './controller-port.js';
import { sendEvents } from './event-answer.js';
import type { EventStreams } from './event-streams.js';
import { followOverview, getOverview } from './openapi/overview-operations.js';
import { OverviewEvents } from './overview-events.js';
import { overviewJson } from './overview-json.js';
import { OverviewTexts } from './overview-texts.js';
import { readQuery } from './query.js';
import type { UnsentAnswers } from './unsent.js';

/** How the service stands, and what somebody should look at: once, or while it changes. */
export function overviewRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  streams: EventStreams,
  unsent: UnsentAnswers,
  log: Log,
): void {
  const texts = new OverviewTexts();

  app.get(
    '/v1/overview',
    { exposeHeadRoute: true, config: { operation: getOverview } },
    async (request) => {
      readQuery(request.url, []);
      return overviewJson(await controller.overview());
    },
  );

  // No HEAD: it would never be answered.
  app.get(
    '/v1/overview/events',
    { exposeHeadRoute: false, config: { operation: followOverview } },
    async (request, reply) => {
      readQuery(request.url, []);
      const history = await controller.history();
      // The stream asks when its client has taken what there was: in nobody's name by then.
      const source = {
        recentOverview: onSameBehalf(() => controller.recentOverview()),
        history: onSameBehalf(() => controller.history()),
      };
      const events = new OverviewEvents(source, history, texts, log);
      const { socket } = request.raw;
      const text = events.text((bytes) => unsent.hold(socket, bytes));
      return sendEvents(reply, streams, undefined, events, text);
    },
  );
}
