import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Family } from '../../src/figures.js';
import { ControllerLink } from '../../src/http/controller-link.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { readWireToken } from '../../src/wire/token.js';
import { Transport } from '../../src/wire/transport.js';
import { startService } from '../service.js';

/** A real service, and a client of its controller beside it. */
export interface Instance {
  readonly pids: { readonly http: number; readonly controller: number };
  workerPid(type: string): number;
  post(path: string, body: unknown): Promise<Record<string, unknown>>;
  execute(code: string, expected: string): Promise<void>;
  /** So many tasks that do nothing, each answered when its result is durable, all in flight at once. */
  inFlight(tasks: number): Promise<void>;
  /** The figures of the controller. */
  figures(): Promise<Family[]>;
  stop(): Promise<void>;
}

export async function startInstance(workers: string): Promise<Instance> {
  const service = await startService({ clients: 1, workers });
  const poller = new Poller();
  const link = new ControllerLink({
    transport: new Transport(),
    poller,
    address: parseAddress(`unix:${join(service.dataDir, 'run', 'controller.sock')}`),
    token: readWireToken(join(service.dataDir, 'wire-token'), { create: false }),
    controllerWaitMs: 5_000,
    log: pino({ level: 'error' }),
  });
  const pids = { http: service.pidOf('http'), controller: service.pidOf('controller') };
  return {
    pids,
    workerPid: (type) => childWith(pids.controller, `--type=${type}`),
    post: (path, body) => service.post(path, body),
    execute: (code, expected) => service.execute(code, expected),
    async inFlight(tasks) {
      const one = async () => {
        const { outcome } = await link.run({ type: 'noop', code: '' }).answer;
        if (outcome !== 'success')
          throw new Error(`a task that does nothing ended with ${outcome}`);
      };
      await Promise.all(Array.from({ length: tasks }, one));
    },
    figures: async () => (await link.measure()).families,
    async stop() {
      link.close();
      poller.close();
      await service.stop();
    },
  };
}

function childWith(pid: number, word: string): number {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    for (const child of children.split(' ')) {
      if (child === '') continue;
      const words = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0');
      if (words.includes(word)) return Number(child);
    }
  }
  throw new Error(`process ${pid} has no child with ${word}`);
}
