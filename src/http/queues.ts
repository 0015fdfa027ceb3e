import type { FastifyInstance, FastifyRequest } from 'fastify';
import { errorCode, errorMessage } from '../errors.js';
import { validator } from '../schema.js';
import { TypeName } from '../task.js';
import { ignoreBodies } from './bodies.js';
import type { ControllerPort } from './controller-port.js';
import { listQueues, setQueue } from './openapi/service-operations.js';
import { Problem } from './problem.js';
import { readQuery } from './query.js';

const typeNames = validator(TypeName);

interface ByType {
  Params: { type: string };
}

/** The tasks of each type, in numbers; to stop handing them out, and to go on. */
export function queueRoutes(app: FastifyInstance, controller: ControllerPort): void {
  app.get(
    '/v1/queues',
    { exposeHeadRoute: true, config: { operation: listQueues } },
    async (request) => {
      readQuery(request.url, []);
      return { queues: await controller.queues() };
    },
  );

  app.register(async (scope) => {
    ignoreBodies(scope);
    for (const [order, paused] of [
      ['pause', true],
      ['resume', false],
    ] as const) {
      scope.post<ByType>(
        `/v1/queues/:type/${order}`,
        { config: { operation: setQueue[order] } },
        async (request) => {
          const type = readType(request);
          try {
            return await controller.setQueuePaused(type, paused);
          } catch (error) {
            if (errorCode(error) === 'UNKNOWN_TYPE') throw unknownType(errorMessage(error));
            throw error;
          }
        },
      );
    }
  });
}

function readType(request: FastifyRequest<ByType>): string {
  readQuery(request.url, []);
  const { type } = request.params;
  if (typeNames.fits(type)) return type;
  throw unknownType('the path has no name of a type, such as python, node or bash');
}

/** Of a submission it is 422: there the type is in the body. Here it is the place. */
function unknownType(detail: string): Problem {
  return new Problem(404, 'UNKNOWN_TYPE', detail, { field: 'type' });
}
