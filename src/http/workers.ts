import type { FastifyInstance } from 'fastify';
import type { ControllerPort } from './controller-port.js';
import { listWorkers } from './openapi/service-operations.js';
import { readQuery } from './query.js';

/** The connected workers, and how each keeps its scripts apart from its host. */
export function workerRoutes(app: FastifyInstance, controller: ControllerPort): void {
  app.get(
    '/v1/workers',
    { exposeHeadRoute: true, config: { operation: listWorkers } },
    async (request) => {
      readQuery(request.url, []);
      const { workers } = await controller.status();
      return { workers };
    },
  );
}
