import type { FastifyInstance } from 'fastify';
import { type DeliveryAttempt, webhookId } from '../webhook.js';
import { ignoreBodies } from './bodies.js';
import type { ControllerPort, DeliveryReport } from './controller-port.js';
import { getTaskWebhook, redeliverWebhook } from './openapi/webhook-operations.js';
import { timeMembers } from './task-json.js';
import { readId } from './tasks.js';

interface ById {
  Params: { id: string };
}

/** What came of telling a task's webhook, and telling it again. */
export function webhookRoutes(app: FastifyInstance, controller: ControllerPort): void {
  const path = '/v1/tasks/:id/webhooks';
  app.get<ById>(
    path,
    { exposeHeadRoute: true, config: { operation: getTaskWebhook } },
    async (request) => reportJson(await controller.delivery(readId(request))),
  );
  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.post<ById>(
      `${path}/redeliver`,
      { config: { operation: redeliverWebhook } },
      async (request, reply) =>
        reply.code(202).send(reportJson(await controller.redeliver(readId(request)))),
    );
  });
}

/** `waiting`: the task is not finished. */
function reportJson({ taskId, origin, delivery }: DeliveryReport): Record<string, unknown> {
  if (!delivery) return { taskId, origin, state: 'waiting', tries: 0, attempts: [] };
  const { finishedAt, since, nextAttemptAt, attempts, ...rest } = delivery;
  return {
    ...{ taskId, origin, webhookId: webhookId(taskId, finishedAt), ...rest },
    attempts: attempts.map(attemptJson),
    ...timeMembers({ finishedAt, since, nextAttemptAt }),
  };
}

function attemptJson({ at, ...rest }: DeliveryAttempt): Record<string, unknown> {
  return { ...timeMembers({ at }), ...rest };
}
