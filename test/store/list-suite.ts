import type { Test } from 'tap';
import { storeLimits } from '../../src/store/limits.js';
import type { TaskQuery, TaskStore } from '../../src/store/port.js';
import { everyTask, result, submission, success } from './fixtures.js';

const attempt = { attempt: 1, worker: 'w1', startedAt: 2_000 };

/** What every store must do when it is asked for lists of tasks. */
export function listSuite(t: Test, open: (t: Test) => TaskStore): void {
  t.test(
    'queries: newest first, every filter, pages that meet without gap or double',
    async (t) => {
      const store = open(t);
      const all = Array.from({ length: 60 }, (_, i) =>
        submission({
          type: i % 2 === 0 ? 'python' : 'bash',
          ...(i % 3 === 0 && { group: `g${i % 4}` }),
          tags: i % 5 === 0 ? ['five', 'five', 'ten'] : ['rest'],
        }),
      );
      await store.submit(all);
      const ids = all.map(({ view }) => view.id);
      await store.claim(ids.slice(10, 40).map((taskId) => ({ taskId, attempt })));
      await store.complete(ids.slice(10, 20).map((taskId) => success(taskId)));
      await store.complete(
        ids.slice(20, 25).map((taskId) => ({
          ...success(taskId),
          ending: { outcome: 'network_fail', code: 'WORKER_LOST', reason: 'gone' },
          deadLetter: true,
        })),
      );
      const views = await Promise.all(ids.map((id) => store.readView(id, { bulk: false })));
      const filters = [
        {},
        { state: 'pending' },
        { state: 'running' },
        { state: 'finished' },
        { type: 'bash' },
        { outcome: 'success' },
        { outcome: 'network_fail' },
        { group: 'g0' },
        { group: 'none' },
        { tag: 'five' },
        { tag: 'fiv' },
        { deadLetter: true },
        { deadLetter: true, type: 'bash', state: 'finished' },
        { state: 'running', type: 'python', tag: 'rest', group: 'g2' },
        { state: 'pending', outcome: 'success' },
      ] as const;
      for (const filter of filters) {
        const expected = views
          .filter((view) => {
            const { tag, ...rest } = { tag: undefined, ...filter };
            const fits = Object.entries(rest).every(
              ([name, value]) => view?.[name as keyof typeof view] === value,
            );
            return fits && (tag === undefined || view?.tags.includes(tag));
          })
          .toReversed();
        for (const limit of [1, 7, 1_000]) {
          const found = await everyTask(store, { ...filter, limit });
          t.same(found, expected, `${JSON.stringify(filter)}, ${limit} in a page`);
        }
      }
      await t.rejects(store.query({ limit: 1, cursor: 'NO!' }), { code: 'BAD_CURSOR' });
    },
  );

  t.test('dead letters are counted, up to a number', async (t) => {
    const store = open(t);
    const all = Array.from({ length: 9 }, () => submission({ tags: ['x'], group: 'g' }));
    await store.submit(all);
    const ids = all.map(({ view }) => view.id);
    t.equal(await store.countDeadLetters(5), 0);
    await store.complete(
      ids.slice(0, 7).map((taskId) => ({
        ...success(taskId),
        ending: { outcome: 'network_fail', code: 'WORKER_LOST', reason: 'gone' },
        ...(taskId !== ids[0] && { deadLetter: true as const }),
      })),
    );
    await store.resubmit([{ taskId: ids[1] ?? '' }]);
    // A list is of everything; so is what is counted after it.
    t.equal((await everyTask(store, { limit: 9, deadLetter: true })).length, 5);
    t.equal(await store.countDeadLetters(1_000), 5);
    t.equal(await store.countDeadLetters(5), 5);
    t.equal(await store.countDeadLetters(4), 4);
  });

  t.test('a text is found wherever it stands in a task, in large and small letters', async (t) => {
    const store = open(t);
    const wanted = 'NeeDle';
    const id = '0199ffff-0000-7000-8000-0000000abcde';
    const all = {
      script: submission({}, { code: 'x = "a neeDLe"' }),
      group: submission({ group: 'needles' }),
      tag: submission({ tags: ['y', 'a-needle'] }),
      worker: submission(),
      code: submission(),
      reason: submission(),
      output: submission({}, { stdin: Buffer.from('needle'), env: { A: 'needle' } }),
      id: submission({ id }),
    };
    await store.submit(Object.values(all));
    await store.claim([
      { taskId: all.worker.view.id, attempt: { ...attempt, worker: 'needle-1' } },
      { taskId: all.code.view.id, attempt },
      { taskId: all.reason.view.id, attempt },
    ]);
    const failed = (taskId: string, code: 'WALL_LIMIT' | 'EXCEPTION', reason: string) => ({
      ...success(taskId),
      ending: { outcome: 'runtime_error' as const, code, reason, result: result('needle') },
    });
    await store.complete([
      failed(all.code.view.id, 'WALL_LIMIT', 'It took long.'),
      failed(all.reason.view.id, 'EXCEPTION', 'It raised NEEDLE.'),
      success(all.output.view.id, 3_000, 'needle'),
    ]);
    const found = async (text: string, filter: object = {}) =>
      (await everyTask(store, { text, limit: 10, ...filter })).map(({ id }) => id);
    const idsOf = (...names: (keyof typeof all)[]) => names.map((name) => all[name].view.id);
    t.same(await found(wanted), idsOf('reason', 'worker', 'tag', 'group', 'script'));
    t.same(await found('wall_lim'), idsOf('code'));
    t.same(await found('0000000ABCDE'), [id]);
    t.same(await found(wanted, { state: 'running' }), idsOf('worker'));
    t.same(await found(wanted, { group: 'needles' }), idsOf('group'));
    t.same(await found('nowhere'), []);
    t.same(await found(wanted, { limit: 1 }), idsOf('reason', 'worker', 'tag', 'group', 'script'));
  });

  t.test('a page of a search reads so many scripts, and the next goes on', async (t) => {
    const store = open(t);
    const count = storeLimits.searchTasksMax + 10;
    const first = submission({}, { code: 'needle' });
    const others = Array.from({ length: count }, () => submission());
    await store.submit([first, ...others]);
    const page = await store.query({ text: 'needle', limit: 10 });
    t.same(page.tasks, []);
    t.type(page.next, 'string');
    const rest = await store.query({ text: 'needle', limit: 10, cursor: page.next ?? '' });
    t.same(
      rest.tasks.map(({ id }) => id),
      [first.view.id],
    );
    const large = { code: 'x'.repeat(storeLimits.searchBytesMax / 2 + 1) };
    await store.submit([submission({}, large), submission({}, large), submission({}, large)]);
    let pages = 0;
    for (let cursor: string | undefined = ''; cursor !== undefined && pages < 3; pages++) {
      const asked: TaskQuery = { text: 'needle', limit: 10, ...(cursor && { cursor }) };
      cursor = (await store.query(asked)).next;
      t.ok(cursor, 'a large script is read by itself');
    }
  });

  t.test('a cursor is stable: what is new or changes its state does not disturb it', async (t) => {
    const store = open(t);
    const all = Array.from({ length: 10 }, () => submission());
    await store.submit(all);
    const ids = all.map(({ view }) => view.id).toReversed();
    const first = await store.query({ limit: 4 });
    await store.submit([submission(), submission()]);
    await store.complete(ids.slice(2, 6).map((taskId) => success(taskId)));
    const rest = await everyTask(store, { limit: 3, cursor: first.next ?? '' });
    const seen = [...first.tasks, ...rest].map(({ id }) => id);
    t.same(seen, ids);
  });
}
