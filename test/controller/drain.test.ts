import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/clock.js';
import { Controller } from '../../src/controller/controller.js';
import type { WorkerManager } from '../../src/controller/manager.js';
import { policyFrom } from '../../src/controller/policy.js';
import { createLog } from '../../src/log.js';
import { parseAddress } from '../../src/poll/address.js';
import { evaluatorOf } from '../../src/scheduler/own-evaluator.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { startWorker } from '../../src/worker/worker.js';
import { submission } from '../store/fixtures.js';

const token = Buffer.from('a wire token for the tests only');
const log = createLog('test', 'silent');
const type = 'noop';

async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A controller whose tasks were there before it, a worker, and a store that takes its time to read. */
async function rig(t: Test, tasks: number) {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-drain-'));
  const address = `unix:${join(folder, 'worker.sock')}`;
  const store = new LmdbStore({ directory: join(folder, 'store'), durability: 'os' });
  const ids = Array.from({ length: tasks }, () => submission({ type }));
  await store.submit(ids);
  const gate = { reading: 0, open: (): void => undefined };
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  const readSpec = store.readSpec.bind(store);
  store.readSpec = async (taskId) => {
    gate.reading += 1;
    await opened;
    return readSpec(taskId);
  };
  const local = { token, clock: systemClock, log };
  const manager: WorkerManager = {
    types: [type],
    start: ({ onAdded }) =>
      onAdded({ name: 'noop-1', type, slots: 2, address: parseAddress(address), local: true }),
    ...{ ensure: () => undefined, replace: () => undefined, stop: () => undefined },
    finish: async () => undefined,
  };
  const start = () =>
    startWorker({
      ...{ name: 'noop-1', type, slots: 2, listen: address, wireToken: token, log },
      ...{ workDirectory: join(folder, 'work'), isolation: 'none' },
    });
  const worker = await start();
  const controller = new Controller({
    ...{ ...local, store, manager },
    listen: parseAddress(`unix:${join(folder, 'controller.sock')}`),
    local: { role: 'controller', id: 'controller', instance: 'c' },
    policies: new Map([[type, policyFrom()]]),
    evaluator: evaluatorOf(undefined, () => undefined),
  });
  t.teardown(async () => {
    controller.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  await controller.start();
  return { controller, store, worker, start, gate, ids: ids.map(({ view }) => view.id) };
}

t.test('what a worker has been given before it was drained, it runs', async (t) => {
  const { controller, store, worker, start, gate, ids } = await rig(t, 2);
  await until(() => gate.reading === ids.length);
  t.match(controller.drainWorker('noop-1'), { draining: true, busy: ids.length });
  t.match(controller.drainWorker('noop-1'), { draining: true }, 'once more');
  gate.open();
  t.equal(await worker.closed, 'drained');
  await until(async () => (await controller.overview()).workers.length === 0);
  t.match((await controller.overview()).absent, [{ id: 'noop-1', type, absentMs: Number }]);
  const next = await start();
  t.teardown(() => next.close());
  for (const id of ids) {
    await until(async () => (await store.readView(id))?.state === 'finished');
    const view = await store.readView(id);
    t.match(view, { outcome: 'success', attempt: 1 }, 'the first attempt was the only one');
  }
  await until(async () => (await controller.overview()).absent.length === 0);
});
