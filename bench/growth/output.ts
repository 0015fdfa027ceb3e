import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { limits } from '../../src/limits.js';
import { startService } from '../service.js';
import { Asker, type Task, taskPanels } from './asker.js';
import type { Growth } from './growth.js';

/** A stream holds 4 MiB where nobody asks, and 5 MiB where somebody does: half goes to each. */
const config = `limits: {outputBytes: ${limits.outputBytesMax}}\n`;

/** A script that writes so many bytes, half of them to stdout and half to stderr. */
function taskOf(bytes: number): Task {
  const half = bytes / 2;
  const code = [
    'import sys',
    ...['stdout', 'stderr'].map((name) => `sys.${name}.write("x" * ${half})`),
  ].join('\n');
  return {
    body: { type: 'python', code },
    check(answer) {
      const { stdout = '', stderr = '' } = JSON.parse(answer.toString()) as Record<string, string>;
      if (stdout.length !== half || stderr.length !== half) {
        throw new Error(`of ${bytes} bytes ${stdout.length + stderr.length} came back`);
      }
    },
  };
}

/** Scripts that write more and more. */
export const output: Growth = {
  name: 'output',
  title: 'More output: what a script costs that writes it',
  work: { label: 'output of the script, half to stdout and half to stderr', unit: 'bytes' },
  panels: taskPanels([{ key: 'python', label: 'executed by Python' }]),
  async run({ smoke }, samples) {
    const sizes = smoke ? [0, 1_000, 10_000] : [0, 1e2, 1e3, 1e4, 1e5, 3e5, 1e6, 3e6, 1e7];
    const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-bench-'));
    const file = join(dataDir, 'scriptd.yaml');
    writeFileSync(file, config);
    const flags = [`--config=${file}`];
    const service = await startService({ clients: 1, workers: 'python=2', dataDir, flags });
    const asker = new Asker(service);
    try {
      await asker.warmUp(smoke ? 1 : 100, taskOf(1_000));
      for (let round = 0; round < (smoke ? 1 : 7); round++) {
        for (const bytes of sizes) {
          await asker.round(samples, 'python', bytes, timesOf(bytes, smoke), taskOf(bytes));
        }
      }
    } finally {
      asker.close();
      await service.stop();
    }
  },
};

/** Fewer of what takes longer. */
function timesOf(bytes: number, smoke: boolean): number {
  if (smoke) return 2;
  return bytes > 1e6 ? 5 : 15;
}
