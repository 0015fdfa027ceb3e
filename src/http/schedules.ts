import type { FastifyInstance, FastifyRequest } from 'fastify';
import { runTimes } from '../cron.js';
import type { ScheduleSummary, ScheduleView } from '../schedule.js';
import { ignoreBodies } from './bodies.js';
import type { Checks } from './checks.js';
import type { ControllerPort } from './controller-port.js';
import { httpLimits } from './limits.js';
import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  putSchedule,
  runSchedule,
  turnSchedule,
} from './openapi/schedule-operations.js';
import { readQuery } from './query.js';
import { checkScheduleId, readScheduleBody } from './schedule-body.js';
import { taskJson, timeMembers } from './task-json.js';
import { specJson } from './task-spec-json.js';
import { timeText } from './time-text.js';

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
    await checks.refuseUnfit(asked.task, request, reply, 'task.');
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
      await checks.refuseUnfit(asked.task, request, reply, 'task.');
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
    for (const [order, enabled] of [
      ['enable', true],
      ['disable', false],
    ] as const) {
      scope.post<ById>(
        `/v1/schedules/:id/${order}`,
        { config: { operation: turnSchedule[order] } },
        async (request) =>
          scheduleJson(await controller.setScheduleEnabled(readId(request), enabled)),
      );
    }
    // Beside its clock, also of one that is not enabled: a task like any other.
    scope.post<ById>(
      '/v1/schedules/:id/run',
      { config: { operation: runSchedule } },
      async (request, reply) => {
        const { task } = await controller.schedule(readId(request));
        const { task: stored } = await controller.store(task);
        reply.header('location', `/v1/tasks/${stored.id}`);
        return reply.code(201).send(taskJson(stored));
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
  const upcoming = upcomingRuns(rest).map(timeText);
  return { ...summaryJson(rest), ...(upcoming.length > 0 && { upcoming }), task: specJson(task) };
}

/** The next runs, `nextRunAt` first. */
function upcomingRuns({ cron, timeZone, nextRunAt: first }: ScheduleSummary): number[] {
  if (first === undefined) return [];
  const runs = [first];
  try {
    const times = runTimes(cron, timeZone);
    for (let at = times.after(first); at !== undefined; at = times.after(at)) {
      if (runs.push(at) === httpLimits.upcomingRunsMax) break;
    }
  } catch {
    // The controller's host knows a time zone that this one doesn't: what it says has to do.
  }
  return runs;
}
