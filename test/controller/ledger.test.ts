import t from 'tap';
import { Ledger } from '../../src/controller/ledger.js';
import { ScriptdError } from '../../src/errors.js';
import type { TaskView } from '../../src/task.js';
import { lmdbStore, submission, success } from '../store/fixtures.js';
import { log } from './rig.js';

t.test('a claim that failed once, and whose task has ended since, holds up nothing', async (t) => {
  const store = lmdbStore(t).open();
  const ledger = new Ledger(store, log);
  t.teardown(() => ledger.close());
  const tasks = [submission(), submission(), submission()] as const;
  await store.submit(tasks);
  const [endedId, besideId, behindId] = tasks.map(({ view }) => view.id) as [
    string,
    string,
    string,
  ];
  const record = { attempt: 1, worker: 'w', startedAt: 2_000 };
  const claimOf = (taskId: string) => ({ taskId, attempt: record, tried: 1 });

  let failClaim = (): void => undefined;
  const claim = store.claim.bind(store);
  store.claim = () => {
    store.claim = claim;
    return new Promise((_resolve, reject) => {
      failClaim = () => reject(new ScriptdError('STORE_FULL', 'the disk is full'));
    });
  };
  const claimed = new Promise<void>((resolve) => {
    ledger.claim([claimOf(endedId), claimOf(besideId)], resolve);
  });
  const [ended] = await new Promise<TaskView[]>((resolve) => {
    const attempt = { ...record, finishedAt: 3_000, outcome: 'success' as const };
    ledger.complete([{ ...success(endedId), attempt }], resolve);
  });
  failClaim();
  while (ledger.behind === 0) await new Promise((resolve) => setImmediate(resolve));
  const behind = new Promise<void>((resolve) => ledger.claim([claimOf(behindId)], resolve));
  t.equal(ledger.behind, 2, 'what comes after it waits for it');
  await claimed;
  await behind;
  t.equal(ledger.behind, 0);
  t.same(await store.readView(endedId), ended, 'its end is as it was');
  t.match(ended, { state: 'finished', outcome: 'success' });
  for (const id of [besideId, behindId]) {
    t.match(await store.readView(id), { state: 'running', attempt: 1, worker: 'w' });
  }
  t.match(store.stats(), { pending: 0, running: 2, finished: 1 });
});
