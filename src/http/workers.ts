import type { FastifyInstance } from 'fastify';
import type { ControllerPort } from './controller-port.js';
import { readQuery } from './query.js';

/** The connected workers, and how each keeps its scripts apart from its host. */
export function workerRoutes(app: FastifyInstance, controller: ControllerPort): void {
  app.get('/v1/workers', { exposeHeadRoute: true }, async (request) => {
    readQuery(request.url, []);
    const { workers } = await controller.status();
    return { workers };
  });
}
