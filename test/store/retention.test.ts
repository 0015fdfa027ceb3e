import t from 'tap';
import { lmdbStoreLimits } from '../../src/store/limits.js';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openForReading } from '../../src/store/lmdb/environment.js';
import { HandClock, lmdbStore, submission, success } from './fixtures.js';

t.test('finished tasks go by age, oldest first; others stay however old', async (t) => {
  const clock = new HandClock();
  const { directory, open } = lmdbStore(t, { clock, retentionMs: 1_000 });
  const store = open();
  const all = Array.from({ length: 250 }, () => submission({ tags: ['x'], group: 'g' }));
  const ids = all.map(({ view }) => view.id);
  await store.submit([...all, submission({ createdAt: 0 })]);
  await store.complete(ids.map((id, i) => ({ ...success(id, 5_000 + i), deadLetter: true })));
  clock.nowMs = 5_999;
  t.equal(await store.sweep(), 0);
  clock.nowMs = 6_199;
  t.equal(await store.sweep(), 200);
  const left = await store.query({ tag: 'x', limit: 1_000 });
  t.same(
    left.tasks.map(({ id }) => id),
    ids.slice(200).toReversed(),
  );
  t.equal(await store.readSpec(ids[0] ?? ''), undefined);
  t.match(store.stats(), { pending: 1, finished: 50 });
  clock.nowMs = 10_000;
  t.equal(await store.sweep(), 50);
  t.match(store.stats(), { pending: 1, finished: 0, finishedBytes: 0 });
  await store.close();
  const reading = openForReading(directory);
  t.same(checkStore(reading).problems, [], 'nothing is left of them');
  await reading.root.close();
});

t.test('the retention says which webhooks it took away untold', async (t) => {
  const clock = new HandClock();
  const untold: string[] = [];
  const onUndelivered = (ids: string[]) => untold.push(...ids);
  const { directory, open } = lmdbStore(t, { clock, retentionMs: 1_000, onUndelivered });
  const store = open();
  const webhook = { origin: 'https://a.test' };
  const [a, b, c] = [submission({ webhook }), submission({ webhook }), submission()];
  await store.submit([a, b, c]);
  await store.complete([a, b, c].map(({ view }) => success(view.id, 5_000)));
  const delivery = await store.readDelivery(a.view.id);
  if (!delivery) throw new Error('there is none');
  const { nextAttemptAt: _, ...rest } = delivery;
  await store.noteDelivery(a.view.id, { ...rest, state: 'delivered' });
  clock.nowMs = 10_000;
  t.equal(await store.sweep(), 3);
  t.same(untold, [b.view.id]);
  await store.close();
  const reading = openForReading(directory);
  t.same(checkStore(reading).problems, [], 'nothing is left of them');
  await reading.root.close();
});

t.test('finished tasks go by bytes, of specs and results together', async (t) => {
  const clock = new HandClock();
  const { open } = lmdbStore(t, { clock, retentionBytes: 100_000 });
  const store = open();
  const all = Array.from({ length: 30 }, () => submission({}, { code: 'x'.repeat(5_000) }));
  const ids = all.map(({ view }) => view.id);
  await store.submit(all);
  await store.complete(ids.map((id, i) => success(id, 5_000 + i, 'y'.repeat(5_000))));
  t.ok(store.stats().finishedBytes > 300_000);
  t.ok((await store.sweep()) >= 20);
  const { finished, finishedBytes } = store.stats();
  t.ok(finishedBytes <= 100_000 && finished === 9, `${finished} tasks, ${finishedBytes} bytes`);
  t.match(await store.readView(ids.at(-1) ?? ''), { state: 'finished' }, 'the newest stay');
});

t.test('the file does not grow when as much goes as comes', async (t) => {
  const clock = new HandClock();
  const { open } = lmdbStore(t, { clock, retentionMs: 0 });
  const store = open();
  const sizes: number[] = [];
  for (let round = 0; round < 20; round++) {
    const batch = Array.from({ length: 50 }, () => submission({}, { code: 'x'.repeat(5_000) }));
    await store.submit(batch);
    await store.complete(batch.map(({ view }) => success(view.id, round)));
    clock.nowMs = round;
    t.equal(await store.sweep(), 50);
    sizes.push(store.stats().fileBytes);
  }
  // Ten batches came and went in between. How many pages are free at once depends on when commits
  // fall together.
  const batchBytes = 50 * 5_000;
  t.ok((sizes.at(-1) ?? 0) <= (sizes.at(9) ?? 0) + 4 * batchBytes, sizes.join(' '));
});

t.test('idempotency keys go after 24 hours', async (t) => {
  const clock = new HandClock();
  const { open } = lmdbStore(t, { clock });
  const store = open();
  await store.submit([submission({ createdAt: 1_000 }, { idempotencyKey: 'k' })]);
  clock.nowMs = 86_400_999;
  t.equal(await store.sweep(), 0);
  clock.nowMs = 86_401_000;
  t.equal(await store.sweep(), 1);
  t.equal(await store.sweep(), 0);
});

t.test('a wall clock that jumps ahead and is put right again takes nothing away', async (t) => {
  const clock = { aheadMs: 0, passedMs: 0, monotonicMs: () => clock.passedMs, wallMs: () => 0 };
  clock.wallMs = () => clock.passedMs + clock.aheadMs;
  const { open } = lmdbStore(t, { clock, retentionMs: 1_000 });
  const store = open();
  const old = submission({ createdAt: 0 }, { idempotencyKey: 'k' });
  await store.submit([old]);
  await store.complete([success(old.view.id, 5)]);
  t.equal(await store.sweep(), 0);
  const week = 7 * 86_400_000;
  clock.aheadMs = week;
  t.equal(await store.sweep(), 0);
  clock.passedMs = 900;
  t.equal(await store.sweep(), 0, 'time passes as it did');
  clock.aheadMs = 0;
  t.equal(await store.sweep(), 0);
  clock.aheadMs = week;
  clock.passedMs = 1_006;
  t.equal(await store.sweep(), 1, 'it was old enough without that, its key was not');
  clock.passedMs += lmdbStoreLimits.jumpBelievedMs - 1;
  t.equal(await store.sweep(), 0);
  clock.passedMs += 1;
  t.equal(await store.sweep(), 1, 'one that stays there is believed');
});
