import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/settings.js';
import type { WorkerPlace } from '../controller/manager.js';
import { parseAddress } from '../poll/address.js';
import type { Layout } from './layout.js';

/** Programs that the built-in types need, in the order in which they are looked for. */
const builtIn: Record<string, readonly string[]> = {
  python: ['python3'],
  node: [],
  bash: ['bash'],
};

/**
 * The workers of a host that does not say which it wants: one for each built-in type whose program
 * is there, with a slot per two processors, python with one per processor.
 */
export function defaultWorkers(processors: number): Record<string, number> {
  const half = Math.max(1, Math.ceil(processors / 2));
  const slots: Record<string, number> = {};
  for (const [type, programs] of Object.entries(builtIn)) {
    if (programs.every(isOnPath)) slots[type] = type === 'python' ? Math.max(2, processors) : half;
  }
  return slots;
}

/** One worker per type, each at its socket. */
export function placesOf(workers: Config['workers'], layout: Layout): WorkerPlace[] {
  return Object.entries(workers).map(([type, slots]) => {
    const name = `${type}-1`;
    return { name, type, slots, address: parseAddress(layout.workerAddress(name)), local: true };
  });
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
