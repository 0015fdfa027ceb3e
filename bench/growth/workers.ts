import { anonymousMiB } from '../pending.js';
import { startCrowd } from '../workers.js';
import { Asker, taskPanels } from './asker.js';
import type { Growth } from './growth.js';

const task = { body: { type: 'noop', code: '' } };

/** A task that does nothing, of a controller with more and more workers. */
export const workers: Growth = {
  name: 'workers',
  title: 'More workers: what a task costs among them, and what they take',
  work: { label: 'connected workers', unit: 'count' },
  panels: [
    ...taskPanels([{ key: 'noop', label: 'a task that does nothing' }]),
    {
      title: 'Memory of the controller',
      ...{ short: 'memory', unit: 'bytes', kind: 'cost' },
      series: [{ key: 'memory', label: 'memory' }],
    },
  ],
  async run({ smoke }, samples) {
    for (const count of smoke ? [1, 4] : [1, 3, 10, 30, 100, 300, 1_000]) {
      // The service has one of its own.
      const { service, stop } = await startCrowd(count - 1);
      const asker = new Asker(service);
      try {
        await asker.warmUp(smoke ? 1 : 500, task);
        for (let round = 0; round < (smoke ? 1 : 5); round++) {
          await asker.round(samples, 'noop', count, smoke ? 3 : 100, task);
        }
        samples.add('memory', count, anonymousMiB(service) * 1024 ** 2);
      } finally {
        asker.close();
        await stop();
      }
    }
  },
};
