import { join } from 'node:path';
import { pino } from 'pino';
import { ControllerLink } from '../src/http/controller-link.js';
import { parseAddress } from '../src/poll/address.js';
import { Poller } from '../src/poll/poller.js';
import { readWireToken } from '../src/wire/token.js';
import { Transport } from '../src/wire/transport.js';
import { startBullmq } from './bullmq.js';
import type { Bench } from './harness.js';
import { buildPeer, loadPosts } from './peer.js';
import { p50Ms } from './programs.js';
import { compare } from './row.js';
import { type Service, startService } from './service.js';

const task = { type: 'noop', code: '' } as const;
/** Where a task is posted whose answer comes with its result. */
const waiting = '/v1/tasks?wait=30';

/** The two Redis that BullMQ is measured on; with the first, nothing of a job is durable. */
const redis = {
  none: {
    reference: 'BullMQ, Redis without persistence',
    durability: { value: 'fsync of task and result', reference: 'none' },
  },
  always: {
    reference: 'BullMQ, Redis with appendfsync always',
    durability: { value: 'fsync of task and result', reference: 'fsync of each change' },
  },
} as const;

/** A task that does nothing, from the POST to its durable result; one client, one after the other. */
export const dispatch: Bench = {
  name: 'dispatch',
  what: 'a durable task that does nothing, over HTTP, against BullMQ on Redis',
  async run({ smoke }) {
    const tasks = smoke ? 3 : 500;
    const service = await startService({ clients: 1, workers: 'noop=1' });
    const bullmq = await startBullmq(1, 'none');
    const durable = await startBullmq(1, 'always');
    await buildPeer();
    const load = { connections: 1, seconds: smoke ? 0.1 : 1, path: waiting, body: task };
    const shared = { unit: 'ms p50', rounds: smoke ? 1 : 7 };
    const measure = () => p50Ms(tasks, () => noop(service));
    try {
      // Until either side's code is compiled: what runs for days is to be measured, not its start.
      const warmUp = smoke ? 1 : 2_000;
      await p50Ms(warmUp, () => noop(service));
      await p50Ms(warmUp, () => bullmq.once());
      const row = await compare({
        ...{ name: 'dispatch', ...shared, ...redis.none },
        bar: { atMost: 0.8 },
        measure,
        measureReference: () => p50Ms(tasks, () => bullmq.once()),
      });
      const durableRow = await compare({
        ...{ name: 'dispatch, durable BullMQ', ...shared, ...redis.always },
        measure,
        measureReference: () => p50Ms(tasks, () => durable.once()),
      });
      // What Node's client takes of it: the same requests from a client in C.
      const clientRow = await compare({
        ...{ name: 'dispatch, client', ...shared, reference: 'the same from a client in C' },
        measure,
        measureReference: async () => (await loadPosts(service.port, load)).p50Us / 1000,
      });
      return [row, durableRow, clientRow];
    } finally {
      await Promise.all([service.stop(), bullmq.stop(), durable.stop()]);
    }
  },
};

/** Throws unless it succeeded. */
export async function noop(service: Service, group?: string): Promise<void> {
  const asked = group === undefined ? task : { ...task, group };
  const { outcome } = await service.post(waiting, asked);
  if (outcome !== 'success') throw new Error(`a task that does nothing ended with ${outcome}`);
}

/** Tasks that are in flight at once; of BullMQ those that its worker has, which is its best. */
const inFlight = 1_000;
const bullmqConcurrency = 100;
const bullmqBatch = 1_000;

/**
 * As many of them at once as it takes, over the protocol that http daemons speak: one message in,
 * and one out when the result is durable.
 */
export const dispatchLoad: Bench = {
  name: 'dispatch-load',
  what: 'such tasks per second, 1,000 in flight, against BullMQ on Redis',
  async run({ smoke }) {
    const tasks = smoke ? 20 : 20_000;
    const service = await startService({ clients: 1, workers: 'noop=64' });
    const bullmq = await startBullmq(bullmqConcurrency, 'none');
    const durable = await startBullmq(bullmqConcurrency, 'always');
    const link = await connected(service.dataDir);
    const shared = { unit: 'tasks/s', rounds: smoke ? 1 : 7 };
    const measure = () => rate(tasks, () => link.many(tasks));
    try {
      const row = await compare({
        ...{ name: 'dispatch-load', ...shared, ...redis.none },
        bar: { atLeast: 3 },
        measure,
        measureReference: () => rate(tasks, () => bullmq.many(tasks, bullmqBatch)),
      });
      const durableRow = await compare({
        ...{ name: 'dispatch-load, durable BullMQ', ...shared, ...redis.always },
        measure,
        measureReference: () => rate(tasks, () => durable.many(tasks, bullmqBatch)),
      });
      return [row, durableRow];
    } finally {
      link.close();
      await Promise.all([service.stop(), bullmq.stop(), durable.stop()]);
    }
  },
};

async function rate(tasks: number, run: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await run();
  return (tasks * 1000) / (performance.now() - startMs);
}

/** A client of the controller of a service, as an http daemon is one. */
export async function connected(dataDir: string) {
  const poller = new Poller();
  const link = new ControllerLink({
    transport: new Transport(),
    poller,
    address: parseAddress(`unix:${join(dataDir, 'run', 'controller.sock')}`),
    token: readWireToken(join(dataDir, 'wire-token'), { create: false }),
    controllerWaitMs: 5_000,
    log: pino({ level: 'error' }),
  });
  await link.status();
  return {
    async many(tasks: number): Promise<void> {
      let left = tasks;
      const one = async () => {
        while (left > 0) {
          left -= 1;
          const { outcome } = await link.run(task).answer;
          if (outcome !== 'success') throw new Error(`a task ended with ${outcome}`);
        }
      };
      await Promise.all(Array.from({ length: inFlight }, one));
    },
    close(): void {
      link.close();
      poller.close();
    },
  };
}
