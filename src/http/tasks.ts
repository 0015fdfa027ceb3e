import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorCode } from '../errors.js';
import { limits } from '../limits.js';
import { validator } from '../schema.js';
import { TaskId, type TaskView } from '../task.js';
import { ignoreBodies } from './bodies.js';
import type { Checks } from './checks.js';
import { onClientGone } from './client-gone.js';
import type { Asked, ControllerPort, Stored } from './controller-port.js';
import { readIdempotencyKey } from './idempotency-key.js';
import {
  cancelTask,
  explainTask,
  getTask,
  listTasks,
  retryTask,
  submitTask,
} from './openapi/task-operations.js';
import { Problem, problem } from './problem.js';
import { decodedText, readQuery } from './query.js';
import { readTaskBody } from './task-body.js';
import { taskJson } from './task-json.js';
import { readTaskQuery } from './task-query.js';
import { readTraceContext } from './trace-context.js';
import { formDecode } from './twice-encoded.js';

const taskIds = validator(TaskId);
const waitParameter = ['wait'] as const;

export interface ById {
  Params: { id: string };
}

/** Submit a task, look at it and at others, cancel it, send it again. */
export function taskRoutes(app: FastifyInstance, controller: ControllerPort, checks: Checks): void {
  app.post('/v1/tasks', { config: { operation: submitTask } }, async (request, reply) => {
    const waitSeconds = readWait(request, reply);
    const { task: stored, replayed } = await submit(request, reply, controller, checks);
    // Who waits for long need not hold on to it.
    request.body = undefined;
    reply.header('location', `/v1/tasks/${stored.id}`);
    if (replayed) reply.header('idempotency-replayed', 'true');
    if (waitSeconds === 0) {
      if (!replayed) return reply.code(201).send(taskJson(stored));
      // It may be finished, and have its outputs.
      return reply.send(taskJson(await controller.get(stored.id)));
    }
    const watch = watchStored(stored.id, controller);
    const task = watch
      ? await finishedWithin(watch, stored, waitSeconds * 1000, reply, controller)
      : stored;
    if (!task) return reply.hijack();
    return reply.code(task.state === 'finished' ? 200 : 202).send(taskJson(task));
  });

  app.get(
    '/v1/tasks',
    { exposeHeadRoute: true, config: { operation: listTasks } },
    async (request) => {
      const { tasks, next } = await controller.list(readTaskQuery(request.url));
      return { tasks: tasks.map(taskJson), ...(next !== undefined && { next }) };
    },
  );

  app.get<ById>(
    '/v1/tasks/:id',
    { exposeHeadRoute: true, config: { operation: getTask } },
    async (request, reply) => {
      const waitSeconds = readWait(request, reply);
      const id = readId(request, ['wait']);
      const stored = await controller.get(id);
      if (waitSeconds === 0 || stored.state === 'finished') return taskJson(stored);
      const watch = controller.watch(id);
      const task = await finishedWithin(watch, stored, waitSeconds * 1000, reply, controller);
      return task ? taskJson(task) : reply.hijack();
    },
  );

  app.get<ById>(
    '/v1/tasks/:id/explain',
    { exposeHeadRoute: true, config: { operation: explainTask } },
    async (request) => {
      const { taskId: id, state, explanation } = await controller.explain(readId(request));
      return { id, state, ...explanation };
    },
  );

  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.post<ById>(
      '/v1/tasks/:id/cancel',
      { config: { operation: cancelTask } },
      async (request) => taskJson(await cancel(readId(request), controller)),
    );
    scope.post<ById>('/v1/tasks/:id/retry', { config: { operation: retryTask } }, async (request) =>
      taskJson(await controller.retryTask(readId(request))),
    );
  });
}

function submit(
  request: FastifyRequest,
  reply: FastifyReply,
  controller: ControllerPort,
  checks: Checks,
): Promise<Stored> {
  const idempotencyKey = readIdempotencyKey(request.raw);
  const spec = readTaskBody(request.body, Date.now());
  Object.assign(spec, readTraceContext(request.raw));
  if (idempotencyKey !== undefined) spec.idempotencyKey = idempotencyKey;
  if (!spec.check) return controller.store(spec);
  return checks.refuseUnfit(spec, request, reply).then(() => controller.store(spec));
}

export function readId(request: FastifyRequest<ById>, parameters: readonly string[] = []): string {
  readQuery(request.url, parameters);
  return checkedTaskId(request.params.id);
}

/** @throws Problem INVALID_TASK_ID */
export function checkedTaskId(id: string): string {
  if (taskIds.fits(id)) return id;
  throw problem(
    'INVALID_TASK_ID',
    'a task id is a UUID in lower case, as the submission showed it',
  );
}

/**
 * Seconds to hold the answer, 0 for not at all: `?wait=`, else `Prefer: wait=`. A preference that
 * can't be kept as it stands is shortened to what can be, or left aside.
 *
 * Source: RFC 7240, 2 and 4.3
 * @throws Problem INVALID_FIELD for the query parameter.
 */
export function readWait(request: FastifyRequest, reply: FastifyReply): number {
  const encoded = readQuery(request.url, waitParameter).get('wait');
  if (encoded !== undefined) {
    const text = decodedText(formDecode(encoded), '`wait`', 'wait');
    const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
    if (seconds <= limits.waitSecondsMax) return seconds;
    const detail = `\`wait\` must be a whole number of seconds from 0 to ${limits.waitSecondsMax}`;
    throw problem('INVALID_FIELD', detail, { field: 'wait' });
  }
  if (request.headers.prefer === undefined) return 0;
  const prefer = [request.headers.prefer].flat().join(',');
  const preferred = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i.exec(prefer)?.[1];
  if (preferred === undefined) return 0;
  const seconds = Math.min(Number(preferred), limits.waitSecondsMax);
  reply.header('preference-applied', `wait=${seconds}`);
  return seconds;
}

/**
 * Undefined when whoever has just submitted the task may not know more of it: its token has ended
 * meanwhile. The task is stored all the same, and that has to be said.
 */
function watchStored(id: string, controller: ControllerPort): Asked<TaskView> | undefined {
  try {
    return controller.watch(id);
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

/**
 * The task once it is finished, or as it stands when the time is up; undefined when the client went
 * away (the task goes on: it was submitted to stay).
 */
async function finishedWithin(
  watch: Asked<TaskView>,
  stored: TaskView,
  waitMs: number,
  reply: FastifyReply,
  controller: ControllerPort,
): Promise<TaskView | undefined> {
  let isGone = false;
  const timer = setTimeout(watch.forget, waitMs);
  const release = onClientGone(reply, () => {
    isGone = true;
    watch.forget();
  });
  try {
    return await watch.answer;
  } catch (error) {
    if (errorCode(error) === 'UNKNOWN_TASK') throw taskLost(stored.id);
    if (errorCode(error) !== 'FORGOTTEN') throw error;
    return isGone ? undefined : await controller.get(stored.id);
  } finally {
    clearTimeout(timer);
    release();
  }
}

/** The caller has just been told of it: that it is gone is not the caller's mistake. */
export function taskLost(taskId: string): Problem {
  const detail =
    'the controller was restarted and has lost the task, which was kept in memory only; ' +
    'it may have run, or not';
  return problem('CONTROLLER_LOST', detail, { taskId });
}

/**
 * Cancelling again what is cancelled does nothing and succeeds; what ended otherwise can't be
 * cancelled any more.
 */
async function cancel(taskId: string, controller: ControllerPort): Promise<TaskView> {
  const task = await cancelOrFinished(taskId, controller);
  if (task.state !== 'finished' || task.outcome === 'cancelled') return task;
  const detail = `the task had ended before (${task.outcome}); there is nothing to cancel`;
  throw problem('ALREADY_FINISHED', detail, { taskId, outcome: task.outcome });
}

async function cancelOrFinished(taskId: string, controller: ControllerPort): Promise<TaskView> {
  try {
    return await controller.cancelTask(taskId);
  } catch (error) {
    if (errorCode(error) !== 'ALREADY_FINISHED') throw error;
    return controller.get(taskId);
  }
}
