import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { anonymousMiB, fill, group, heldService } from '../pending.js';
import { startService } from '../service.js';
import { Asker, taskPanels } from './asker.js';
import type { Growth } from './growth.js';

const task = { body: { type: 'noop', code: '', group } };

/** A task that does nothing while others wait, and what the waiting ones cost. */
export const pending: Growth = {
  name: 'pending',
  title: 'More tasks that wait: what one more costs, and what they take',
  work: { label: 'tasks that wait, of 2 KB of code each', unit: 'count' },
  panels: [
    ...taskPanels([{ key: 'noop', label: 'a task that does nothing' }]),
    {
      title: 'Memory of the controller',
      ...{ short: 'memory', unit: 'bytes', kind: 'cost' },
      series: [{ key: 'memory', label: 'memory' }],
    },
  ],
  async run({ smoke }, samples) {
    const options = await heldService();
    try {
      let held = 0;
      for (const waiting of smoke ? [1, 10] : powersOfTen(6)) {
        await fill(join(options.dataDir, 'store'), waiting - held);
        held = waiting;
        const service = await startService(options);
        const asker = new Asker(service);
        await asker.warmUp(smoke ? 1 : 500, task);
        for (let round = 0; round < (smoke ? 1 : 5); round++) {
          await asker.round(samples, 'noop', waiting, smoke ? 3 : 100, task);
        }
        samples.add('memory', waiting, anonymousMiB(service) * 1024 ** 2);
        asker.close();
        await service.stop({ keep: true });
      }
    } finally {
      rmSync(options.dataDir, { recursive: true, force: true });
    }
  },
};

/** 1, 10, … 10^last */
function powersOfTen(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, power) => 10 ** power);
}
