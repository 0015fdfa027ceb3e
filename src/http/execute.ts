import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorCode } from '../errors.js';
import { limits } from '../limits.js';
import type { Log } from '../log.js';
import { validator } from '../schema.js';
import { type TaskSpec, type TaskView, TypeName } from '../task.js';
import { receiveBody } from './bodies.js';
import type { BodyRoom } from './body-room.js';
import { onClientGone } from './client-gone.js';
import type { Asked, ControllerPort } from './controller-port.js';
import { failureStatus } from './failure-status.js';
import { executeBody, executeUrl } from './openapi/execute-operations.js';
import { Problem, problem } from './problem.js';
import { decodedText, readQuery } from './query.js';
import { codeText } from './task-body.js';
import { outputMembers } from './task-json.js';
import { readTraceContext } from './trace-context.js';
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
  const run = (asked: TaskSpec, request: FastifyRequest, reply: FastifyReply) => {
    // There is nothing to ask with: it gets the network that its type allows.
    const task: TaskSpec = { ...asked, network: 'allowed', ...readTraceContext(request.raw) };
    return execute(controller.run(task), reply, log);
  };

  app.get(
    '/execute',
    { exposeHeadRoute: false, config: { operation: executeUrl } },
    (request, reply) => run(taskOfUrl(request.url), request, reply),
  );

  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (request: FastifyRequest, _payload, done) =>
      receiveBody(request, limits.codeBytesMax, room, done),
    );
    const config = { operation: executeBody };
    scope.post('/execute', { onRequest: ignoreContentType, config }, (request, reply) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const type = readType(readQuery(request.url, ['type']).get('type'));
      // Who waits for long need not hold on to it.
      request.body = undefined;
      return run({ type, code: codeText(body) }, request, reply);
    });
  });
}

/** Not even a malformed Content-Type matters: without one, the parser for all takes the body. */
function ignoreContentType(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  request.headers['content-type'] = undefined;
  done();
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
  asked: Asked<TaskView>,
  reply: FastifyReply,
  log: Log,
): Promise<FastifyReply> {
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

function failure(task: TaskView): Problem {
  const { id, outcome, code, reason, exitCode, signal, exception } = task;
  if (outcome === undefined || outcome === 'success') {
    return problem('INTERNAL', 'the controller answered before the task was finished', {
      taskId: id,
    });
  }
  return new Problem(
    failureStatus(outcome, code),
    code ?? outcome.toUpperCase(),
    reason ?? `the task ended with ${outcome}`,
    { outcome, taskId: id, exitCode, signal, exception, ...outputMembers(task) },
  );
}
