import t from 'tap';
import { submission } from '../store/fixtures.js';
import { controllerRig, type, until } from './rig.js';

for (const [what, once] of [
  ['cannot be read', () => Promise.reject(new Error('the disk is broken'))],
  ['is not there', () => Promise.resolve(undefined)],
] as const) {
  t.test(`a task whose spec ${what} once is tried again, and its worker stays`, async (t) => {
    const { controller, store, worker, replaced } = controllerRig(t);
    const task = submission({ type }, { retry: { baseMs: 1, capMs: 1 } });
    const taskId = task.view.id;
    await store.submit([task]);
    const readSpec = store.readSpec.bind(store);
    store.readSpec = () => {
      store.readSpec = readSpec;
      return once();
    };
    await controller.start();
    await until(() => worker.all('execute').length === 1);
    t.match(worker.all('execute'), [{ taskId, attempt: 2, code: 'print(1)' }]);
    worker.succeed({ taskId, attempt: 2 });
    await until(async () => (await store.readView(taskId))?.state === 'finished');
    t.match(await store.readView(taskId), {
      ...{ outcome: 'success', attempt: 2 },
      attempts: [
        { attempt: 1, outcome: 'internal_fail', code: 'INTERNAL', reason: /read from the store/ },
        { attempt: 2, outcome: 'success' },
      ],
    });
    t.same(replaced, []);
    t.equal(worker.inventories, 1, 'it was connected all the time');
  });
}
