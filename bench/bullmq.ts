import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';
import { type RedisPersistence, type RedisServer, startRedis } from './redis.js';

/** BullMQ on a Redis of its own, with one worker process. */
export interface Bullmq {
  /** One job after the other: fulfilled with its result. */
  once(): Promise<void>;
  /** So many jobs, added in batches of `batch`: fulfilled when the last one is done. */
  many(jobs: number, batch: number): Promise<void>;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('bullmq-worker.js', import.meta.url));
const name = 'bench';

/** @param concurrency jobs that the worker has at once */
export async function startBullmq(
  concurrency: number,
  persistence: RedisPersistence,
): Promise<Bullmq> {
  const redis = await startRedis(persistence);
  const worker = fork(script, [redis.path, name, String(concurrency)]);
  await once(worker, 'message');
  const connection = { path: redis.path, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady()]);
  let onCompleted: (() => void) | undefined;
  events.on('completed', () => onCompleted?.());
  return {
    async once() {
      const job = await queue.add('noop', {});
      await job.waitUntilFinished(events);
    },
    async many(jobs, batch) {
      let left = jobs;
      const done = new Promise<void>((resolve) => {
        onCompleted = () => {
          if (--left === 0) resolve();
        };
      });
      for (let added = 0; added < jobs; added += batch) {
        const size = Math.min(batch, jobs - added);
        await queue.addBulk(Array.from({ length: size }, () => ({ name: 'noop', data: {} })));
      }
      await done;
    },
    async stop() {
      await Promise.all([queue.close(), events.close()]);
      await stopAll(worker, redis);
    },
  };
}

async function stopAll(worker: ChildProcess, redis: RedisServer): Promise<void> {
  worker.disconnect();
  await once(worker, 'exit');
  await redis.stop();
}
