import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../src/clock.js';
import { Controller } from '../../src/controller/controller.js';
import type { WorkerManager } from '../../src/controller/manager.js';
import { policyFrom } from '../../src/controller/policy.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { evaluatorOf } from '../../src/scheduler/own-evaluator.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import type { AttemptKey } from '../../src/task.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message, MessageOf } from '../../src/wire/messages.js';
import { resultOf } from '../scheduler/rig.js';

export const token = Buffer.from('a wire token for the tests only');
export const log = createLog('test', 'silent');
export const type = 'python';

/** Looked at again and again, until it holds. */
export async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** The far end of both of a worker's connections: it says and does what the test wants. */
export class HandWorker {
  readonly has: { running: AttemptKey[]; unacknowledged: AttemptKey[] } = {
    ...{ running: [], unacknowledged: [] },
  };
  readonly received: Message[] = [];
  /** Called with each attempt that it is given. */
  onExecute: (message: MessageOf<'execute'>) => void = () => undefined;
  /** How often both connections stood. */
  inventories = 0;
  #receiver: Connection | undefined;
  #emitter: Connection | undefined;

  constructor(poller: Poller, address: ReturnType<typeof parseAddress>) {
    const local = { role: 'worker', id: 'python-1', instance: 'w' } as const;
    const serves = ['receiver', 'emitter'] as const;
    poller.listen(address, {}, (socket) => {
      new Connection(...([socket, 'acceptor', { local, token, serves }] as const), {
        onOpen: ({ channel }, connection) => this.#opened(channel, connection),
        onMessage: (message) => {
          this.received.push(message);
          if (message.kind === 'execute') this.onExecute(message);
        },
        onClose: () => undefined,
      });
    });
  }

  #opened(channel: string, connection: Connection): void {
    if (channel === 'receiver') this.#receiver = connection;
    if (channel !== 'emitter') return;
    this.#emitter = connection;
    this.inventories += 1;
    const isolation = { level: 'none' as const, layers: [] };
    const offer = { type, slots: 1, prefetch: 0, pid: 1, isolation };
    connection.send({ kind: 'inventory', ...offer, ...this.has });
  }

  /** All messages of a kind so far. */
  all<Kind extends Message['kind']>(kind: Kind): MessageOf<Kind>[] {
    return this.received.filter((message) => message.kind === kind) as MessageOf<Kind>[];
  }

  send(message: Message): void {
    this.#emitter?.send(message);
  }

  succeed({ taskId, attempt }: AttemptKey): void {
    this.send({ kind: 'result', taskId, attempt, result: resultOf() });
  }

  /** Breaks both connections; the controller makes others. */
  disconnect(): void {
    this.#receiver?.end();
    this.#emitter?.end();
  }
}

/** A controller that is not started yet, its store, and its only worker. */
export function controllerRig(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-controller-'));
  const address = parseAddress(`unix:${join(folder, 'worker.sock')}`);
  const clients = parseAddress(`unix:${join(folder, 'controller.sock')}`);
  const poller = new Poller();
  const worker = new HandWorker(poller, address);
  const store = new LmdbStore({ directory: join(folder, 'store'), durability: 'os' });
  const replaced: string[] = [];
  const manager: WorkerManager = {
    types: [type],
    start: ({ onAdded }) => onAdded({ name: 'python-1', type, slots: 1, address, local: true }),
    ensure: () => t.fail('it listens'),
    replace: ({ name }) => replaced.push(name),
    ...{ stop: () => undefined, finish: async () => undefined },
  };
  const controller = new Controller({
    ...{ token, store, manager, clock: systemClock, log, listen: clients },
    local: { role: 'controller', id: 'controller', instance: 'c' },
    policies: new Map([[type, policyFrom()]]),
    evaluator: evaluatorOf(undefined, () => undefined),
  });
  t.teardown(async () => {
    controller.close();
    poller.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  return { controller, store, worker, poller, clients, replaced };
}
