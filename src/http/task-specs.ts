import type { FastifyInstance } from 'fastify';
import type { ControllerPort } from './controller-port.js';
import { getTaskScript, getTaskSpec } from './openapi/spec-operations.js';
import { askedJson } from './task-spec-json.js';
import { type ById, readId } from './tasks.js';

/** What was submitted: the script by itself, and everything that it was submitted with. */
export function specRoutes(app: FastifyInstance, controller: ControllerPort): void {
  app.get<ById>(
    '/v1/tasks/:id/script',
    { exposeHeadRoute: true, config: { operation: getTaskScript } },
    async (request, reply) => {
      const { task, spec } = await controller.spec(readId(request));
      reply.headers({ 'x-task-id': task.id, 'x-task-type': task.type });
      return reply.type('text/plain; charset=utf-8').send(Buffer.from(spec.code));
    },
  );

  app.get<ById>(
    '/v1/tasks/:id/spec',
    { exposeHeadRoute: true, config: { operation: getTaskSpec } },
    async (request) => {
      const { task, spec } = await controller.spec(readId(request));
      return askedJson(task, spec);
    },
  );
}
