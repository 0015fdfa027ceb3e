import type { FastifyInstance } from 'fastify';
import { errorCode, errorMessage } from '../errors.js';
import type { ControllerPort } from './controller-port.js';
import { getHealth, getReadiness } from './openapi/service-operations.js';
import { problem } from './problem.js';

/** The process is alive, whatever else may be wrong. */
export function healthRoute(app: FastifyInstance): void {
  app.get('/healthz', { exposeHeadRoute: true, config: { operation: getHealth } }, async () => ({
    status: 'alive',
  }));
}

/** The service can run scripts. Answers at once: whoever probes does not wait for a controller. */
export function readyRoute(app: FastifyInstance, controller: ControllerPort): void {
  app.get('/readyz', { exposeHeadRoute: true, config: { operation: getReadiness } }, async () => {
    const missing = await missingParts(controller);
    if (missing.length === 0) return { status: 'ready' };
    throw problem('NOT_READY', `not ready: ${missing.join('; ')}`, { missing });
  });
}

async function missingParts(controller: ControllerPort): Promise<string[]> {
  if (!controller.connected) return ['there is no connection to the controller'];
  try {
    const { ready, draining, missing } = await controller.status();
    if (ready) return [];
    if (missing.length > 0) return missing;
    return [draining ? 'the controller is draining' : 'the controller is not ready'];
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return [errorMessage(error)];
  }
}
