import { startService } from '../service.js';
import { Asker, taskPanels } from './asker.js';
import type { Growth } from './growth.js';

const line = '# a comment that is as long as a line of code usually is\n';
const last = 'print(1)\n';

/** Python that prints 1; so many bytes, all but the last line comments. */
function codeOf(bytes: number): string {
  const comments = bytes - last.length;
  return (
    `${line.repeat(comments / line.length)}${'#'.repeat(comments % line.length)}`.slice(0, -1) +
    `\n${last}`
  );
}

/** Tasks with more and more code: kept and carried only, and executed. */
export const code: Growth = {
  name: 'code',
  title: 'More code: what a task costs',
  work: { label: 'code of the task', unit: 'bytes' },
  panels: taskPanels([
    { key: 'noop', label: 'kept and carried, not executed' },
    { key: 'python', label: 'executed by Python' },
  ]),
  async run({ smoke }, samples) {
    const sizes = smoke ? [100, 1_000] : [100, 300, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6];
    const service = await startService({ clients: 1, workers: 'noop=1,python=2' });
    const asker = new Asker(service);
    const taskOf = (type: string, bytes: number) => ({ body: { type, code: codeOf(bytes) } });
    try {
      await asker.warmUp(smoke ? 1 : 1_000, taskOf('noop', 1_000));
      await asker.warmUp(smoke ? 1 : 50, taskOf('python', 1_000));
      for (let round = 0; round < (smoke ? 1 : 7); round++) {
        for (const bytes of sizes) {
          await asker.round(samples, 'noop', bytes, smoke ? 2 : 40, taskOf('noop', bytes));
          await asker.round(samples, 'python', bytes, smoke ? 2 : 15, taskOf('python', bytes));
        }
      }
    } finally {
      asker.close();
      await service.stop();
    }
  },
};
