import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorCode } from '../errors.js';
import { limits } from '../limits.js';
import type { Log } from '../log.js';
import { validator } from '../schema.js';
import { type TaskSpec, type TaskView, TypeName } from '../task.js';
import type { Code, Outcome } from '../verdict.js';
import { receiveBody } from './bodies.js';
import type { BodyRoom } from './body-room.js';
import { onClientGone } from './client-gone.js';
import type { ControllerPort } from './controller-port.js';
import { Problem, problem } from './problem.js';
import { decodedText, readQuery } from './query.js';
import { codeText } from './task-body.js';
import { outputMembers } from './task-json.js';
import { decodeCode, formDecode } from './twice-encoded.js';

const typeNames = validator(TypeName);
const typeDefault = 'python';

/**
 * GET /execute?code=…&type=… and POST /execute?type=…: run a script and wait for its output.
 *
 * The code of a POST is its body as it is, whatever its Content-Type says: `curl -d` calls it a
 * form, and it is still the raw code.
 */
export function executeRoutes(
  app: FastifyInstance,
  controller: ControllerPort,
  room: BodyRoom,
  log: Log,
): void {
  const run = (task: TaskSpec, reply: FastifyReply) => execute(task, reply, controller, log);

  app.get('/execute', { exposeHeadRoute: false }, (request, reply) =>
    run(taskOfUrl(request.url), reply),
  );

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (request: FastifyRequest) =>
      receiveBody(request, limits.codeBytesMax, room),
    );
    scope.post('/execute', { onRequest: ignoreContentType }, (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const type = readType(readQuery(request.url, ['type']).get('type'));
      return run({ type, code: codeText(body) }, reply);
    });
  });
}

/** Not even a malformed Content-Type matters: without one, the parser for all takes the body. */
async function ignoreContentType(request: FastifyRequest): Promise<void> {
  request.headers['content-type'] = undefined;
}

function taskOfUrl(url: string): TaskSpec {
  const query = readQuery(url, ['code', 'type']);
  const encoded = query.get('code');
  if (encoded === undefined) {
    throw problem(
      'MISSING_CODE',
      'there is no code to run: GET /execute?code=print(1), or POST /execute with the code as body',
      { field: 'code' },
    );
  }
  const type = readType(query.get('type'));
  return { type, code: decodedText(decodeCode(encoded), '`code`', 'code') };
}

function readType(encoded: string | undefined): string {
  if (encoded === undefined) return typeDefault;
  const type = decodedText(formDecode(encoded), '`type`', 'type');
  if (typeNames.fits(type)) return type;
  throw problem('INVALID_FIELD', '`type` must be the name of a type, e.g. python, node or bash', {
    field: 'type',
  });
}

async function execute(
  task: TaskSpec,
  reply: FastifyReply,
  controller: ControllerPort,
  log: Log,
): Promise<FastifyReply> {
  // There is nothing to ask with: it gets the network that its type allows.
  const asked = controller.run({ ...task, network: 'allowed' });
  const release = onClientGone(reply, asked.forget);
  try {
    return answer(await asked.answer, reply);
  } catch (error) {
    if (errorCode(error) !== 'FORGOTTEN') throw error;
    log.debug('the client went away; its task is cancelled');
    return reply.hijack();
  } finally {
    release();
  }
}

function answer(task: TaskView, reply: FastifyReply): FastifyReply {
  reply.headers(taskHeaders(task));
  if (task.outcome !== 'success') throw failure(task);
  const stdout = task.stdout ?? new Uint8Array();
  return reply
    .type('text/plain; charset=utf-8')
    .send(Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength));
}

/** Headers of every answer about one task. */
export function taskHeaders({ id, outcome }: TaskView): Record<string, string> {
  return { 'x-task-id': id, ...(outcome && { 'x-task-outcome': outcome }) };
}

const failureStatus = {
  runtime_error: 422,
  format_error: 422,
  network_fail: 503,
  internal_fail: 503,
  cancelled: 409,
  expired: 504,
} satisfies Record<Exclude<Outcome, 'success'>, number>;

/** Limits on time, the script's own doing too, have a status of their own. */
const timeLimits: readonly (Code | undefined)[] = ['WALL_LIMIT', 'CPU_LIMIT'];

function statusOf(outcome: Exclude<Outcome, 'success'>, code: Code | undefined): number {
  if (outcome === 'runtime_error' && timeLimits.includes(code)) return 504;
  // Not the caller's doing: trying again later helps.
  if (code === 'SHUTDOWN') return 503;
  return failureStatus[outcome];
}

function failure(task: TaskView): Problem {
  const { id, outcome, code, reason, exitCode, signal, exception } = task;
  if (outcome === undefined || outcome === 'success') {
    return problem('INTERNAL', 'the controller answered before the task was finished', {
      taskId: id,
    });
  }
  return new Problem(
    statusOf(outcome, code),
    code ?? outcome.toUpperCase(),
    reason ?? `the task ended with ${outcome}`,
    { outcome, taskId: id, exitCode, signal, exception, ...outputMembers(task) },
  );
}
