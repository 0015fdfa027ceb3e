import { randomUUID } from 'node:crypto';
import t from 'tap';
import { resultOf } from '../scheduler/rig.js';
import { submission } from '../store/fixtures.js';
import { controllerRig, type HandWorker, type, until } from './rig.js';

const isAcknowledged = (worker: HandWorker, id: string) =>
  worker.all('acknowledge').some(({ results }) => results.some(({ taskId }) => taskId === id));

/** When this is fulfilled, all that was to be acknowledged before has been. */
async function settled(worker: HandWorker): Promise<void> {
  const nobody = randomUUID();
  worker.succeed({ taskId: nobody, attempt: 1 });
  await until(() => isAcknowledged(worker, nobody));
}

for (const [write, outcome, state] of [
  ['complete', 'success', 'finished'],
  ['requeue', 'internal_fail', 'pending'],
] as const) {
  t.test(
    `a result that comes again is not acknowledged before its end is stored: ${write}`,
    async (t) => {
      const { controller, store, worker } = controllerRig(t);
      const gate = { writes: 0, open: (): void => undefined };
      const opened = new Promise<void>((resolve) => {
        gate.open = resolve;
      });
      const [complete, requeue] = [store.complete.bind(store), store.requeue.bind(store)];
      const held = async () => {
        gate.writes += 1;
        await opened;
      };
      if (write === 'complete') store.complete = (ends) => held().then(() => complete(ends));
      else store.requeue = (ends) => held().then(() => requeue(ends));
      const task = submission({ type }, { retry: { baseMs: 86_400_000, capMs: 86_400_000 } });
      const key = { taskId: task.view.id, attempt: 1 };
      await store.submit([task]);
      await controller.start();
      await until(() => worker.all('execute').length === 1);

      const result = { kind: 'result', ...key, result: resultOf(outcome) } as const;
      worker.send(result);
      await until(() => gate.writes === 1);
      worker.send(result);
      await settled(worker);
      t.notOk(isAcknowledged(worker, key.taskId), 'sent twice');

      worker.has.unacknowledged = [key];
      worker.disconnect();
      await until(() => worker.inventories === 2);
      worker.send(result);
      await settled(worker);
      t.notOk(isAcknowledged(worker, key.taskId), 'named on another connection, and sent again');

      gate.open();
      await until(() => isAcknowledged(worker, key.taskId));
      t.match(await store.readView(key.taskId), { state, attempts: [{ attempt: 1, outcome }] });
      t.equal(gate.writes, 1, 'it has ended once');
    },
  );
}

t.test('a result whose claim the store refused is acknowledged by its own number', async (t) => {
  const { controller, store, worker } = controllerRig(t);
  const task = submission({ type });
  const key = { taskId: task.view.id, attempt: 1 };
  await store.submit([task]);
  const [claim, complete] = [store.claim.bind(store), store.complete.bind(store)];
  let refuse = (): void => undefined;
  store.claim = () => {
    store.claim = claim;
    return new Promise((_resolve, reject) => {
      refuse = () => reject(new Error('the disk is full'));
    });
  };
  store.complete = (ends) => complete(ends).finally(refuse);
  await controller.start();
  await until(() => worker.all('execute').length === 1);
  worker.succeed(key);
  await until(() => isAcknowledged(worker, key.taskId));
  t.match(worker.all('acknowledge'), [{ results: [key] }]);
  t.match(await store.readView(key.taskId), { state: 'finished', outcome: 'success' });
  t.equal(worker.inventories, 1, 'it was connected all the time');
});
