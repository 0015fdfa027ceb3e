import type { FastifyInstance } from 'fastify';
import { greet } from './openapi/service-operations.js';

/** What one who opens the bare address sees. */
export function homeRoute(app: FastifyInstance): void {
  app.get('/', { exposeHeadRoute: true, config: { operation: greet } }, async (request, reply) => {
    const base = `http://${request.headers.host ?? 'localhost:5000'}`;
    return reply
      .type('text/plain; charset=utf-8')
      .send(
        [
          'scriptd: submit a script over HTTP; get back its output, its verdict and what it cost.',
          '',
          'Run a script and wait for its output:',
          `  curl --data-binary 'print(1+1)' ${base}/execute`,
          `  curl '${base}/execute?code=print%281%2B1%29'`,
          '',
          'Submit a task, and look at it:',
          `  curl --json '{"code": "print(1+1)"}' ${base}/v1/tasks`,
          `  curl ${base}/v1/tasks/ID`,
          '',
          'All that there is:',
          `  ${base}/docs`,
          `  ${base}/openapi.json`,
          '',
        ].join('\n'),
      );
  });
}
