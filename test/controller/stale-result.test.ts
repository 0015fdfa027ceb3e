import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../src/clock.js';
import { Controller } from '../../src/controller/controller.js';
import type { WorkerManager } from '../../src/controller/manager.js';
import { policyFrom } from '../../src/controller/policy.js';
import type { IsolationReport } from '../../src/isolation.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { Poller } from '../../src/poll/poller.js';
import { evaluatorOf } from '../../src/scheduler/own-evaluator.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import type { TaskView } from '../../src/task.js';
import { Connection } from '../../src/wire/connection.js';
import type { Message } from '../../src/wire/messages.js';

const token = Buffer.from('a wire token for the tests only');
const none: IsolationReport = { level: 'none', layers: [] };

const success = (taskId: string, attempt: number, stdout: string): Message => ({
  ...{ kind: 'result', taskId, attempt },
  result: {
    ...{ outcome: 'success', exitCode: 0, truncated: { stdout: false, stderr: false } },
    ...{ stdout: Buffer.from(stdout), stderr: Buffer.alloc(0) },
    phases: { startMs: 1, runMs: 1, drainMs: 1 },
  },
});

t.test('a result that comes after the retry was dispatched is never recorded', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-stale-'));
  const address = parseAddress(`unix:${join(folder, 'worker.sock')}`);
  const poller = new Poller();
  const log = createLog('test', 'silent');
  const store = new LmdbStore({ directory: join(folder, 'store'), durability: 'os' });
  const manager: WorkerManager = {
    types: ['python'],
    start: ({ onAdded }) =>
      onAdded({ name: 'python-1', type: 'python', slots: 1, address, local: true }),
    ensure: () => t.fail('it listens'),
    ...{ replace: () => undefined, stop: () => undefined, finish: async () => undefined },
  };
  const controller = new Controller({
    ...{ token, store, manager, clock: systemClock, log },
    listen: parseAddress(`unix:${join(folder, 'controller.sock')}`),
    local: { role: 'controller', id: 'controller', instance: 'c' },
    policies: new Map([['python', policyFrom()]]),
    evaluator: evaluatorOf(undefined, () => undefined),
  });
  t.teardown(async () => {
    controller.close();
    poller.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });

  // A worker that loses its connections when it has its first attempt, as a network does, and then
  // delivers the result of that one beside that of the second.
  let process = 1;
  let emitter: Connection | undefined;
  const acknowledged: number[] = [];
  const onMessage = (message: Message, connection: Connection) => {
    if (message.kind === 'acknowledge') {
      acknowledged.push(...message.results.map(({ attempt }) => attempt));
      if (acknowledged.length === 1) emitter?.send(success(taskId, 2, 'of the second'));
    }
    if (message.kind !== 'execute') return;
    if (message.attempt > 1) {
      emitter?.send(success(message.taskId, 1, 'of the first'));
      return;
    }
    process += 1;
    connection.end();
    emitter?.end();
  };
  poller.listen(address, {}, (socket) => {
    const local = { role: 'worker', id: 'python-1', instance: `w${process}` } as const;
    const serves = ['receiver', 'emitter'] as const;
    const has = { running: [], unacknowledged: [] };
    const onOpen = ({ channel }: { channel: string }, connection: Connection) => {
      if (channel !== 'emitter') return;
      emitter = connection;
      const inventory = { type: 'python', slots: 1, prefetch: 0, pid: 1, isolation: none, ...has };
      connection.send({ kind: 'inventory', ...inventory });
    };
    const handlers = { onOpen, onMessage, onClose: () => undefined };
    new Connection(socket, 'acceptor', { local, token, serves }, handlers);
  });

  await controller.start();
  let taskId = '';
  const submitted = await new Promise<TaskView>((resolve, reject) => {
    const retry = { baseMs: 1, capMs: 1 };
    controller.submit({ code: 'x', type: 'python', retry }, resolve, reject);
  });
  taskId = submitted.id;
  while (acknowledged.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(acknowledged, [1, 2], 'the stale one is to be forgotten, the other is stored');
  const view = await store.readView(taskId);
  t.equal(String(view?.stdout), 'of the second');
  t.match(view, {
    ...{ state: 'finished', outcome: 'success', attempt: 2 },
    attempts: [
      { attempt: 1, outcome: 'network_fail' },
      { attempt: 2, outcome: 'success' },
    ],
  });
});
