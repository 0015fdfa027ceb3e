import type { FastifyInstance } from 'fastify';
import { validator } from '../schema.js';
import { PartId } from '../wire/reports.js';
import { ignoreBodies } from './bodies.js';
import type { ControllerPort } from './controller-port.js';
import { drainWorker, listWorkers } from './openapi/service-operations.js';
import { problem } from './problem.js';
import { readQuery } from './query.js';
import { workerJson } from './worker-json.js';

const names = validator(PartId);

/** The connected workers, and how each keeps its scripts apart from its host; to have one end. */
export function workerRoutes(app: FastifyInstance, controller: ControllerPort): void {
  app.get(
    '/v1/workers',
    { exposeHeadRoute: true, config: { operation: listWorkers } },
    async (request) => {
      readQuery(request.url, []);
      const { workers, workersMore } = await controller.status();
      return { workers: workers.map(workerJson), ...(workersMore && { workersMore }) };
    },
  );

  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.post<{ Params: { id: string } }>(
      '/v1/workers/:id/drain',
      { config: { operation: drainWorker } },
      async (request, reply) => {
        readQuery(request.url, []);
        const { id } = request.params;
        if (!names.fits(id))
          throw problem('UNKNOWN_WORKER', 'the path has no name of a worker: 1 to 128 characters');
        return reply.code(202).send(workerJson(await controller.drainWorker(id)));
      },
    );
  });
}
