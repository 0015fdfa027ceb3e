import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/settings.js';
import type { WorkerPlace } from '../controller/manager.js';
import { ScriptdError } from '../errors.js';
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

/** Of the workers of this host, the one of this number for the type, from 1 on: at its socket. */
export function placeAt(type: string, number: number, slots: number, layout: Layout): WorkerPlace {
  const name = `${type}-${number}`;
  return { name, type, slots, address: parseAddress(layout.workerAddress(name)), local: true };
}

/** One worker per type. */
export function placesOf(workers: Config['workers'], layout: Layout): WorkerPlace[] {
  return Object.entries(workers).map(([type, slots]) => placeAt(type, 1, slots, layout));
}

/**
 * The workers of other hosts that the controller connects to.
 *
 * @throws ScriptdError BAD_CONFIG, BAD_ADDRESS
 */
export function remotePlacesOf(
  remoteWorkers: Config['remoteWorkers'],
  taken: readonly WorkerPlace[],
): WorkerPlace[] {
  const names = new Set(taken.map(({ name }) => name));
  return remoteWorkers.map(({ name, type, slots, address }) => {
    if (names.has(name)) {
      const text = `\`remoteWorkers\`: there are two workers of the name ${name}: rename one`;
      throw new ScriptdError('BAD_CONFIG', text);
    }
    names.add(name);
    return { name, type, slots, address: parseAddress(address), local: false };
  });
}

/** Types that a worker may have that joins: the built-in ones, and those that are configured. */
export function joinableTypes({ runtimes }: Config): string[] {
  return [...Object.keys(builtIn), ...Object.keys(runtimes)];
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
