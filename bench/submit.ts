import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from './harness.js';
import { buildPeer, loadPosts } from './peer.js';
import { compare } from './row.js';
import { startService } from './service.js';

const script = fileURLToPath(new URL('echo-http.js', import.meta.url));
const path = '/v1/tasks';
const body = { type: 'noop', code: 'print(1)', tags: ['bench'] };

/** Durable submissions over 64 connections, of a type that is paused: none of them runs meanwhile. */
export const submit: Bench = {
  name: 'submit',
  what: 'durable submissions per second over HTTP, against a bare Fastify echo',
  async run({ smoke }) {
    const load = { connections: 64, seconds: smoke ? 0.1 : 4, path, body };
    await buildPeer();
    const service = await startService({ clients: 1, workers: 'noop=1' });
    await service.post('/v1/queues/noop/pause', {});
    const echo = fork(script);
    const [echoPort] = (await once(echo, 'message')) as [number];
    try {
      const row = await compare({
        name: 'submit',
        unit: 'requests/s',
        reference: 'Fastify, same schema, echo',
        bar: { atLeast: 0.5 },
        durability: { value: 'fsync of the task', reference: 'none' },
        rounds: smoke ? 1 : 7,
        measure: async () => (await loadPosts(service.port, load)).perSecond,
        measureReference: async () => (await loadPosts(echoPort, load)).perSecond,
      });
      return [row];
    } finally {
      echo.disconnect();
      await service.stop();
    }
  },
};
