// A BullMQ worker whose jobs do nothing, in a process of its own: bullmq-worker SOCKET QUEUE CONCURRENCY
import { Worker } from 'bullmq';

const [path = '', queue = '', concurrency = '1'] = process.argv.slice(2);
const connection = { path, maxRetriesPerRequest: null };
const worker = new Worker(queue, async () => '', {
  connection,
  concurrency: Number(concurrency),
  // As a store that keeps them: they are not to be taken away while we look.
  removeOnComplete: { count: 100_000 },
});
await worker.waitUntilReady();
process.send?.('ready');
// Whoever started it is gone.
process.on('disconnect', () => process.exit());
