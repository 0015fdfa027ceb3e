import type { FastifyInstance } from 'fastify';
import type { ControllerPort } from './controller-port.js';
import { exposition, expositionType } from './exposition.js';
import { healthRoute } from './health.js';
import { heapRoutes } from './heap.js';
import { lifeOf } from './life-events.js';
import type { Measurements } from './measurements.js';
import { readQuery } from './query.js';
import { type ById, readId } from './tasks.js';

const whatThereIs = `scriptd: what the service looks like from inside.

GET  /healthz              alive
GET  /metrics              figures of all parts, for Prometheus
GET  /debug/state          the queues and the workers
GET  /debug/tasks/ID       a task's life
GET  /debug/loop           the parts: processor time, memory, event loop
GET  /debug/heap           the memory of this daemon
POST /debug/heap/snapshot  all of it: scripts, outputs, tokens
`;

/** Routes of the debug port: what the service looks like from inside. */
export function debugRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  measurements: Measurements,
): void {
  healthRoute(app);
  heapRoutes(app, measurements);

  // Of the other port the page is open to everybody: here is none.
  const config = { need: 'token' } as const;
  app.get('/', { exposeHeadRoute: true, config }, async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(whatThereIs),
  );
  app.get('/metrics', { exposeHeadRoute: true }, async (_request, reply) => {
    const { families } = await measurements.read();
    return reply.type(expositionType).send(await exposition(families));
  });
  app.get('/debug/state', async (request) => {
    readQuery(request.url, []);
    const [status, queues] = await Promise.all([controller.status(), controller.queues()]);
    const { ready, draining, missing, pending, running, workers } = status;
    return { ready, draining, missing, pending, running, queues, workers };
  });
  app.get<ById>('/debug/tasks/:id', async (request) => {
    const id = readId(request);
    const [task, { explanation }] = await Promise.all([controller.get(id), controller.explain(id)]);
    const { type, state, timeline } = task;
    return { id, type, state, events: lifeOf(task), ...(timeline && { timeline }), explanation };
  });
  app.get('/debug/loop', async (request) => {
    readQuery(request.url, []);
    const { parts, controllerFault } = await measurements.read();
    return {
      parts: parts.map(({ part, name, vitals }) => ({ part, name, ...vitals })),
      ...(controllerFault !== undefined && { controllerFault }),
    };
  });
}
