import { v7 as uuidv7 } from 'uuid';
import type { Submission } from '../src/store/port.js';

const code = `${'# a comment that is as long as a line of code usually is\n'.repeat(36)}print(1)\n`;
const limits = {
  wallMs: 30_000,
  cpuMs: 30_000,
  memoryBytes: 512 * 1024 * 1024,
  outputBytes: 4 * 1024 * 1024,
  diskBytes: 64 * 1024 * 1024,
  openFiles: 256,
  processes: 256,
};

/** A task with 2 KB of code, as the controller submits it. */
export function submissionOf(type: string): Submission {
  const id = uuidv7();
  return {
    view: {
      ...{ id, type, state: 'pending', priority: 0, score: 0, tags: [], limits, network: 'none' },
      ...{ attempt: 0, attempts: [], createdAt: Date.now(), durability: 'fsync' },
    },
    spec: { code: `${code}# ${id}`, type },
  };
}
