// What a POST of a task costs with Fastify alone: the same schema, and the body sent back.
import Fastify from 'fastify';
import { TaskBody } from '../src/http/task-body.js';

const app = Fastify();
app.post('/v1/tasks', { schema: { body: TaskBody } }, async (request, reply) =>
  reply.code(201).send(request.body),
);
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.(Number(new URL(address).port));
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
