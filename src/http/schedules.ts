import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ScheduleSummary, ScheduleView } from '../schedule.js';
import { ignoreBodies } from './bodies.js';
import type { Checks } from './checks.js';
import type { ControllerPort } from './controller-port.js';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  putSchedule,
} from './openapi/schedule-operations.js';
import { readQuery } from './query.js';
import { checkScheduleId, readScheduleBody } from './schedule-body.js';
import { timeMembers } from './task-json.js';
import { specJson } from './task-spec-json.js';

interface ById {
  Params: { id: string };
}

/** Tasks that are submitted by a clock. */
export function scheduleRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  checks: Checks,
): void {
  app.get(
    '/v1/schedules',
    { exposeHeadRoute: true, config: { operation: listSchedules } },
    async (request) => {
      readQuery(request.url, []);
      return { schedules: (await controller.schedules()).map(summaryJson) };
    },
  );

  app.post('/v1/schedules', { config: { operation: createSchedule } }, async (request, reply) => {
    readQuery(request.url, []);
    const asked = readScheduleBody(request.body, undefined, Date.now());
    await checks.refuseUnfit(asked.task, 'task.');
    const { schedule } = await controller.putSchedule('create', asked);
    reply.header('location', `/v1/schedules/${schedule.id}`);
    return reply.code(201).send(scheduleJson(schedule));
  });

  app.get<ById>(
    '/v1/schedules/:id',
    { exposeHeadRoute: true, config: { operation: getSchedule } },
    async (request) => scheduleJson(await controller.schedule(readId(request))),
  );

  app.put<ById>(
    '/v1/schedules/:id',
    { config: { operation: putSchedule } },
    async (request, reply) => {
      const asked = readScheduleBody(request.body, readId(request), Date.now());
      await checks.refuseUnfit(asked.task, 'task.');
      const { schedule, created } = await controller.putSchedule('put', asked);
      return reply.code(created ? 201 : 200).send(scheduleJson(schedule));
    },
  );

  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.delete<ById>(
      '/v1/schedules/:id',
      { config: { operation: deleteSchedule } },
      async (request, reply) => {
        await controller.deleteSchedule(readId(request));
        return reply.code(204).send();
      },
    );
  });
}

function readId(request: FastifyRequest<ById>): string {
  readQuery(request.url, []);
  return checkScheduleId(request.params.id);
}

function summaryJson({ nextRunAt, lastRunAt, ...rest }: ScheduleSummary): Record<string, unknown> {
  return { ...rest, ...timeMembers({ nextRunAt, lastRunAt }) };
}

function scheduleJson({ task, ...rest }: ScheduleView): Record<string, unknown> {
  return { ...summaryJson(rest), task: specJson(task) };
}
