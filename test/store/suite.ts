import type { Test } from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { limits } from '../../src/limits.js';
import type { TaskStore } from '../../src/store/port.js';
import { everyTask, plain, result, submission, success, unfinishedIds } from './fixtures.js';

const attempt = { attempt: 1, worker: 'w1', startedAt: 2_000 };
const ended = {
  ...attempt,
  finishedAt: 2_500,
  outcome: 'network_fail',
  code: 'WORKER_LOST',
} as const;

/** What every store must do. */
export function storeSuite(t: Test, open: (t: Test) => TaskStore): void {
  t.test('a task that was submitted is there, spec and all', async (t) => {
    const store = open(t);
    const spec = {
      stdin: Buffer.from([0, 1, 255]),
      files: [{ name: 'a/b', content: Buffer.from('x') }],
      env: { A: '1' },
      retry: { maxAttempts: 7 },
    };
    const { view, spec: whole } = submission({ tags: ['x'], group: 'g' }, spec);
    t.same(await store.submit([{ view, spec: whole }]), [{ view }]);
    t.same(plain(await store.readSpec(view.id)), plain(whole));
    t.same(await store.readView(view.id), view);
    t.equal(await store.readView(uuidv7()), undefined);
    t.equal(await store.readView('not an id'), undefined);
    t.equal(await store.readSpec('not an id'), undefined);
  });

  t.test('a task goes through its life, and its view tells it', async (t) => {
    const store = open(t);
    const { view, spec } = submission();
    const { id } = view;
    await store.submit([{ view, spec }]);
    await store.claim([{ taskId: id, attempt }]);
    const running = { state: 'running', attempt: 1, worker: 'w1', startedAt: 2_000 };
    t.match(await store.readView(id), { ...running, attempts: [attempt] });
    t.match(store.stats(), { pending: 0, running: 1, finished: 0 });

    await store.requeue([{ taskId: id, attempt: ended, nextAttemptAt: 9_000, workerDeaths: 1 }]);
    const pending = { state: 'pending', attempt: 1, attempts: [ended], nextAttemptAt: 9_000 };
    t.match(await store.readView(id), pending);
    t.match(store.stats(), { pending: 1, running: 0, finished: 0 });

    const second = { attempt: 2, worker: 'w2', startedAt: 10_000 };
    await store.claim([{ taskId: id, attempt: second }]);
    const claimedAgain = await store.readView(id);
    t.match(claimedAgain, { state: 'running', attempt: 2, attempts: [ended, second] });
    t.notOk(claimedAgain && 'nextAttemptAt' in claimedAgain, 'it is being tried');

    const last = { ...second, finishedAt: 10_500, outcome: 'success' } as const;
    const [finished] = await store.complete([
      {
        taskId: id,
        attempt: last,
        ending: { outcome: 'success', result: result() },
        finishedAt: 10_500,
        timeline: { queuedMs: 1, dispatchMs: 2, startMs: 3, runMs: 4, drainMs: 5, checkMs: 6 },
      },
    ]);
    t.match(finished, { state: 'finished', outcome: 'success', attempts: [ended, last] });
    t.equal(Buffer.from(finished?.stdout ?? []).toString(), 'out');
    t.same(plain(await store.readView(id)), plain(finished));
    const small = await store.readView(id, { bulk: false });
    t.match(small, { state: 'finished', exitCode: 0, timeline: { checkMs: 6 } });
    t.notOk(small && ('stdout' in small || 'stderr' in small), 'without bulk');
    t.match(store.stats(), { pending: 0, running: 0, finished: 1, unfinishedBytes: 0 });
    t.same(await unfinishedIds(store), []);
    t.ok(await store.readSpec(id), 'the spec stays as long as the task');
  });

  t.test('an attempt that never began does not count', async (t) => {
    const store = open(t);
    const { view, spec } = submission();
    const taskId = view.id;
    await store.submit([{ view, spec }]);
    const before = async () => {
      for await (const [record] of store.unfinished()) {
        return record && [record.attempt, record.attemptsBefore];
      }
      return undefined;
    };
    await store.claim([{ taskId, attempt, tried: 1 }]);
    t.same(await before(), [1, 0]);
    await store.requeue([{ taskId, attempt: { ...attempt, finishedAt: 2_100 }, tried: 0 }]);
    t.same(await before(), [1, 1]);
    // One number is passed over: a worker has it already.
    await store.claim([{ taskId, attempt: { ...attempt, attempt: 3 }, tried: 1 }]);
    t.same(await before(), [3, 2]);
    await store.requeue([{ taskId, attempt: { ...ended, attempt: 3 } }]);
    t.same(await before(), [3, 2], 'this one had begun');
  });

  t.test('of a task that is tried again and again the newest attempts are kept', async (t) => {
    const store = open(t);
    const { view, spec } = submission();
    await store.submit([{ view, spec }]);
    const most = limits.attemptsKeptMax;
    for (let number = 1; number <= most + 5; number++) {
      const one = { ...attempt, attempt: number };
      await store.claim([{ taskId: view.id, attempt: one }]);
      await store.requeue([{ taskId: view.id, attempt: { ...ended, attempt: number } }]);
    }
    const { attempt: last, attempts = [] } = (await store.readView(view.id)) ?? {};
    t.equal(last, most + 5);
    t.equal(attempts.length, most);
    t.match([attempts[0], attempts.at(-1)], [{ attempt: 6 }, { attempt: most + 5 }]);
  });

  t.test('index records have what the controller needs', async (t) => {
    const store = open(t);
    const first = submission(
      { type: 'python', priority: 5, group: 'g', runAt: 5_000, expiresAt: 6_000 },
      { retry: { maxAttempts: 4 }, code: 'x'.repeat(100) },
    );
    const second = submission();
    await store.submit([first, second]);
    await store.claim([{ taskId: second.view.id, attempt }]);
    const cancel = { cause: 'caller', requestedAt: 2_100 } as const;
    await store.touch([{ taskId: second.view.id, changes: { cancel } }]);
    const records = [];
    for await (const chunk of store.unfinished()) records.push(...chunk);
    t.match(records, [
      {
        id: first.view.id,
        type: 'python',
        state: 'pending',
        priority: 5,
        group: 'g',
        createdAt: 1_000,
        runAt: 5_000,
        expiresAt: 6_000,
        wallMs: 1_000,
        retry: { maxAttempts: 4 },
        attempt: 0,
        attemptsBefore: 0,
        workerDeaths: 0,
      },
      { id: second.view.id, state: 'running', attempt: 1, worker: 'w1', startedAt: 2_000, cancel },
    ]);
    t.ok((records[0]?.bytes ?? 0) >= 100);
    t.notOk(records[0] && 'worker' in records[0]);
  });

  t.test('unfinished tasks come in order of submission, running or not', async (t) => {
    const store = open(t);
    const all = Array.from({ length: 20 }, () => submission());
    // The order is that of the calls, not of the ids.
    await store.submit(all.toReversed());
    const ids = all.toReversed().map(({ view }) => view.id);
    await store.claim(ids.filter((_, i) => i % 3 === 0).map((taskId) => ({ taskId, attempt })));
    await store.complete(ids.filter((_, i) => i % 5 === 0).map((taskId) => success(taskId)));
    t.same(
      await unfinishedIds(store),
      ids.filter((_, i) => i % 5 !== 0),
    );
  });

  t.test('small changes: what is given changes, null takes away', async (t) => {
    const store = open(t);
    const { view, spec } = submission({ runAt: 5_000 });
    await store.submit([{ view, spec }]);
    const taskId = view.id;
    await store.touch([
      { taskId, changes: { runAt: null, nextAttemptAt: 7, priority: 3, score: 4 } },
    ]);
    const touched = await store.readView(taskId);
    t.match(touched, { nextAttemptAt: 7, priority: 3, score: 4 });
    t.notOk(touched && 'runAt' in touched);
    for await (const [record] of store.unfinished()) {
      t.match(record, { nextAttemptAt: 7, priority: 3 });
      t.notOk(record && 'runAt' in record);
    }
    await store.complete([success(taskId)]);
    const cancel = { cause: 'caller', requestedAt: 1, goneAt: 2 } as const;
    await store.touch([
      { taskId, changes: { cancel, priority: 9 } },
      { taskId: uuidv7(), changes: { priority: 9 } },
    ]);
    t.match(await store.readView(taskId), { cancel, priority: 3 }, 'only cancel of a finished one');
  });

  t.test('an idempotency key stands for its task, also within a batch, for 24 hours', async (t) => {
    const store = open(t);
    const keyed = (key: string, createdAt: number) =>
      submission({ createdAt }, { idempotencyKey: key });
    const [a, b, c] = [keyed('k', 1_000), keyed('k', 1_001), keyed('other', 1_001)];
    const existing = { existing: a.view.id };
    t.same(await store.submit([a, b, c]), [{ view: a.view }, existing, { view: c.view }]);
    t.same(await store.submit([keyed('k', 24 * 3_600_000 + 999)]), [existing]);
    t.equal(await store.readView(b.view.id), undefined, 'nothing of the second was stored');
    const later = keyed('k', 24 * 3_600_000 + 1_000);
    t.same(await store.submit([later]), [{ view: later.view }], 'later it stands for a new one');
    t.same(await store.submit([keyed('k', 24 * 3_600_000 + 2_000)]), [{ existing: later.view.id }]);
  });

  t.test('a finished task is sent again as the newest, with its attempts', async (t) => {
    const store = open(t);
    const [a, b] = [submission({ tags: ['x'], runAt: 1, expiresAt: 2 }), submission()];
    await store.submit([a, b]);
    const taskId = a.view.id;
    await store.claim([{ taskId, attempt }]);
    await store.complete([
      {
        ...success(taskId),
        attempt: ended,
        ending: { outcome: 'network_fail', code: 'WORKER_LOST', result: result() },
        deadLetter: true,
      },
    ]);
    const again = await store.resubmit([
      { taskId, expiresAt: 99 },
      { taskId: b.view.id },
      { taskId: uuidv7() },
    ]);
    t.match(again, [
      { id: taskId, state: 'pending', attempt: 1, attempts: [ended], expiresAt: 99 },
    ]);
    t.same(again.slice(1), [undefined, undefined], 'one not finished, one not there');
    const view = await store.readView(taskId);
    t.same(view, again[0]);
    for (const field of ['outcome', 'stdout', 'deadLetter', 'finishedAt', 'runAt', 'code']) {
      t.notOk(view && field in view, `no ${field} any more`);
    }
    t.same(await unfinishedIds(store), [b.view.id, taskId]);
    t.same(
      (await everyTask(store, { limit: 9 })).map(({ id }) => id),
      [taskId, b.view.id],
    );
    t.same(await everyTask(store, { limit: 9, deadLetter: true }), []);
    t.same(await everyTask(store, { limit: 9, tag: 'x' }), [view]);
    for await (const chunk of store.unfinished()) {
      t.match(chunk[1], { attempt: 1, attemptsBefore: 1, workerDeaths: 0 });
    }
    t.match(store.stats(), { pending: 2, running: 0, finished: 0, finishedBytes: 0 });
    t.ok(await store.readSpec(taskId));
    await store.complete([success(taskId)]);
    t.match(await store.readView(taskId), { outcome: 'success' });
  });

  t.test('documents', async (t) => {
    const store = open(t);
    await store.putDocument({ kind: 'schedule', id: 'b', value: { cron: '* * * * *' } });
    await store.putDocument({ kind: 'schedule', id: 'a', value: 1 });
    await store.putDocument({ kind: 'sched', id: 'ulea', value: 'of another kind' });
    t.same(await store.getDocument('schedule', 'b'), { cron: '* * * * *' });
    t.equal(await store.getDocument('schedule', 'c'), undefined);
    t.same(await store.listDocuments('schedule'), [
      { kind: 'schedule', id: 'a', value: 1 },
      { kind: 'schedule', id: 'b', value: { cron: '* * * * *' } },
    ]);
    await store.putDocument({ kind: 'schedule', id: 'a', value: 2 });
    t.equal(await store.getDocument('schedule', 'a'), 2);
    await store.deleteDocument('schedule', 'a');
    await store.deleteDocument('schedule', 'never there');
    t.equal(await store.getDocument('schedule', 'a'), undefined);
    t.equal((await store.listDocuments('schedule')).length, 1);
  });

  t.test('history tells what finished within a range, in that order', async (t) => {
    const store = open(t);
    const all = Array.from({ length: 5 }, (_, i) => submission({ priority: i, group: 'g' }));
    await store.submit(all);
    const ids = all.map(({ view }) => view.id);
    await store.claim(ids.map((taskId) => ({ taskId, attempt })));
    const ends = [400, 300, 200.5, 100, 500];
    await store.complete(ids.map((taskId, i) => success(taskId, ends[i])));
    const records = [];
    for await (const chunk of store.history({ from: 200, to: 500 })) records.push(...chunk);
    t.same(
      records,
      [2, 1, 0].map((i) => ({
        id: ids[i],
        type: 'noop',
        group: 'g',
        priority: i,
        createdAt: 1_000,
        startedAt: 2_000,
        finishedAt: ends[i],
      })),
    );
  });

  t.test('a finished task owes its webhook a delivery until that is made', async (t) => {
    const store = open(t);
    const origin = 'https://a.test';
    const told = submission({ webhook: { origin } });
    const other = submission();
    const taskId = told.view.id;
    await store.submit([told, other]);
    t.equal(await store.readDelivery(taskId), undefined, 'nothing is owed before its end');
    const owed = async (range = { from: 0, to: 1e9 }) => {
      const all = [];
      for await (const chunk of store.owedDeliveries(range)) all.push(...chunk);
      return all;
    };
    t.same(await owed(), []);
    await store.complete([success(taskId), success(other.view.id)]);
    t.same(await owed(), [{ taskId, origin, dueAt: 3_000 }], 'and only of one that has a webhook');
    t.same(await owed({ from: 3_001, to: 1e9 }), []);
    t.same(await owed({ from: 0, to: 3_000 }), []);
    const due = await store.readDelivery(taskId);
    t.match(due, { state: 'due', finishedAt: 3_000, nextAttemptAt: 3_000, tries: 0, attempts: [] });
    if (!due) throw new Error('there is none');

    t.equal(await store.noteDelivery(taskId, { ...due, tries: 1, nextAttemptAt: 8_000 }), true);
    t.same(await owed(), [{ taskId, origin, dueAt: 8_000 }]);
    const ever = { from: 8_000, to: Number.MAX_SAFE_INTEGER };
    t.same(await owed(ever), [{ taskId, origin, dueAt: 8_000 }]);
    const { nextAttemptAt: _, ...rest } = due;
    t.equal(await store.noteDelivery(taskId, { ...rest, state: 'delivered' }), true);
    t.same(await owed(), []);
    t.match(await store.readDelivery(taskId), { state: 'delivered' });
    t.equal(await store.noteDelivery(other.view.id, due), false);
    t.equal(await store.noteDelivery(uuidv7(), due), false);

    await store.noteDelivery(taskId, due);
    await store.resubmit([{ taskId }]);
    t.same(await owed(), [], 'what is sent again has no end to tell of');
    t.equal(await store.readDelivery(taskId), undefined);
    t.equal(await store.noteDelivery(taskId, due), false);
    await store.complete([success(taskId, 4_000)]);
    t.same(await owed(), [{ taskId, origin, dueAt: 4_000 }]);
    t.equal(await store.noteDelivery(taskId, due), false, 'that is of the end before');
    t.match(await store.readDelivery(taskId), { finishedAt: 4_000 });
  });

  t.test('calls of one turn take effect in their order', async (t) => {
    const store = open(t);
    const { view, spec } = submission();
    const taskId = view.id;
    const done = [
      store.submit([{ view, spec }]),
      store.claim([{ taskId, attempt }]),
      store.requeue([{ taskId, attempt: ended }]),
      store.claim([{ taskId, attempt: { ...attempt, attempt: 2 } }]),
      store.complete([success(taskId)]),
    ];
    await Promise.all(done);
    t.match(await store.readView(taskId), { state: 'finished', attempt: 2, outcome: 'success' });
    t.match(store.stats(), { pending: 0, running: 0, finished: 1 });
  });

  t.test('what breaks our own rules is rejected, whole, and harms nothing else', async (t) => {
    const store = open(t);
    const known = submission();
    const other = submission();
    const results = await Promise.allSettled([
      store.submit([known]),
      store.complete([success(uuidv7())]),
      store.submit([other]),
    ]);
    const fates = results.map(({ status }) => status);
    t.same(fates, ['fulfilled', 'rejected', 'fulfilled']);
    t.same(await unfinishedIds(store), [known.view.id, other.view.id]);
    await store.complete([success(known.view.id)]);
    await t.rejects(store.complete([success(known.view.id)]), /is finished/);
    t.match(store.stats(), { pending: 1, running: 0, finished: 1 });
  });

  t.test('what is told again after the end changes nothing, and holds up nothing', async (t) => {
    const store = open(t);
    const [known, other] = [submission(), submission()];
    await store.submit([known, other]);
    const [taskId, otherId] = [known.view.id, other.view.id];
    await store.claim([{ taskId, attempt }]);
    await store.complete([success(taskId)]);
    const before = await store.readView(taskId);
    await store.claim([
      { taskId, attempt },
      { taskId: uuidv7(), attempt },
      { taskId: otherId, attempt },
    ]);
    await store.requeue([
      { taskId, attempt: ended },
      { taskId: uuidv7(), attempt: ended },
    ]);
    t.same(await store.readView(taskId), before);
    t.match(await store.readView(otherId), { state: 'running' });
    t.match(store.stats(), { pending: 0, running: 1, finished: 1 });
  });
}
