import { getHeapSnapshot, getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import type { FastifyInstance } from 'fastify';
import { ignoreBodies } from './bodies.js';
import type { Measurements } from './measurements.js';
import { problem } from './problem.js';
import { readQuery } from './query.js';

/** The heap of this daemon in figures and as a snapshot, and the memory of the other parts. */
export function heapRoutes(app: FastifyInstance, measurements: Measurements): void {
  app.get('/debug/heap', async (request) => {
    readQuery(request.url, []);
    const { parts, controllerFault } = await measurements.read();
    return {
      http: { statistics: getHeapStatistics(), spaces: getHeapSpaceStatistics() },
      parts: parts.map(({ part, name, vitals: { pid, memoryBytes } }) => {
        return { part, name, pid, memoryBytes };
      }),
      ...(controllerFault !== undefined && { controllerFault }),
    };
  });

  let isTaken = false;
  app.register(async (scope) => {
    ignoreBodies(scope);
    scope.post('/debug/heap/snapshot', async (request, reply) => {
      readQuery(request.url, []);
      // Each takes as much memory again as the heap has.
      if (isTaken) throw problem('OVERLOADED', 'a snapshot is being taken: wait for its end');
      isTaken = true;
      const snapshot = getHeapSnapshot();
      snapshot.once('close', () => {
        isTaken = false;
      });
      const name = `scriptd-http-${process.pid}.heapsnapshot`;
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(snapshot);
    });
  });
}
