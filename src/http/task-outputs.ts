import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TaskView } from '../task.js';
import { rangeHeaders, readRange } from './byte-range.js';
import type { ControllerPort } from './controller-port.js';
import { taskHeaders } from './execute.js';
import { getTaskOutput } from './openapi/task-operations.js';
import { problem } from './problem.js';
import { type ById, readId } from './tasks.js';

/** GET /v1/tasks/ID/stdout and /stderr: raw bytes of one output, or some of them. */
export function outputRoutes(app: FastifyInstance, controller: ControllerPort): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const path = `/v1/tasks/:id/${stream}`;
    const config = { operation: getTaskOutput[stream] };
    app.get<ById>(path, { exposeHeadRoute: true, config }, async (request, reply) =>
      sendOutput(await controller.get(readId(request)), stream, request, reply),
    );
  }
}

/** The output is whole only once the task is finished. */
function sendOutput(
  task: TaskView,
  stream: 'stdout' | 'stderr',
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.headers({ ...taskHeaders(task), 'accept-ranges': 'bytes' });
  if (task.state !== 'finished') {
    const detail = `the task is ${task.state}: its ${stream} is there once it is finished`;
    throw problem('NOT_FINISHED', detail, { taskId: task.id, state: task.state });
  }
  const output = task[stream] ?? new Uint8Array();
  const bytes = Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  // Of a part too: it may begin within a character, and is still a part of text.
  reply.type(isUtf8(bytes) ? 'text/plain; charset=utf-8' : 'application/octet-stream');
  const range = readRange(rangeOf(request), bytes.length);
  if (!range) return reply.send(bytes);
  reply.code(206).headers(rangeHeaders(range, bytes.length));
  return reply.send(bytes.subarray(range.first, range.last + 1));
}

/** There is no validator that an If-Range could name: what it was given for is another output. */
function rangeOf({ method, headers }: FastifyRequest): string | undefined {
  return method === 'GET' && headers['if-range'] === undefined ? headers.range : undefined;
}
