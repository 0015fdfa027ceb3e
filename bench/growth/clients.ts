import { buildPeer, loadPosts } from '../peer.js';
import { startService } from '../service.js';
import type { Growth } from './growth.js';
import { Processor } from './processor.js';

const path = '/v1/tasks';
const body = { type: 'noop', code: 'print(1)', tags: ['bench'] };
/** A fifth of it is not counted by the client, but is in what the service does. */
const warmUpShare = 0.2;

/** Clients that submit at the same time, each one task after the other. */
export const clients: Growth = {
  name: 'clients',
  title: 'More clients: durable submissions, one in flight for each',
  work: { label: 'clients', unit: 'count' },
  panels: [
    {
      title: 'Submissions a second, all clients together',
      ...{ short: 'rate', unit: 'perSecond', kind: 'rate' },
      series: [{ key: 'rate', label: 'submit' }],
    },
    {
      title: 'From the request to the answer, median',
      ...{ short: 'time', unit: 'ms', kind: 'cost' },
      series: [{ key: 'latency', label: 'submit' }],
    },
    {
      title: "Processor time of scriptd's processes, per submission",
      ...{ short: 'processor', unit: 'ms', kind: 'cost' },
      series: [{ key: 'processor', label: 'submit' }],
    },
  ],
  async run({ smoke }, samples) {
    await buildPeer();
    const service = await startService({ clients: 1, workers: 'noop=1' });
    const processor = new Processor(service);
    const seconds = smoke ? 0.1 : 1;
    const load = async (connections: number, forSeconds: number) =>
      loadPosts(service.port, { connections, seconds: forSeconds, path, body });
    try {
      // None of them runs meanwhile: submitting is what is measured.
      await service.post('/v1/queues/noop/pause', {});
      await load(10, smoke ? 0.1 : 2);
      for (let round = 0; round < (smoke ? 1 : 5); round++) {
        for (const count of smoke ? [1, 10] : [1, 3, 10, 30, 100, 300, 1_000]) {
          const beforeMs = processor.ms();
          const { perSecond, p50Us } = await load(count, seconds);
          const answered = perSecond * seconds * (1 + warmUpShare);
          samples.add('rate', count, perSecond);
          samples.add('latency', count, p50Us / 1000);
          samples.add('processor', count, (processor.ms() - beforeMs) / answered);
        }
      }
    } finally {
      await service.stop();
    }
  },
};
