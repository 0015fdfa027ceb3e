import fc from 'fast-check';
import t from 'tap';
import { formatCursor, parseCursor } from '../../src/store/filter.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { MemoryStore } from '../../src/store/memory.js';
import type { TaskFilter, TaskStore } from '../../src/store/port.js';
import { submission, success, temporaryFolder } from './fixtures.js';

t.test('a cursor is read back, and what was never one is refused', async (t) => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (sequence) => parseCursor(formatCursor(sequence)) === sequence),
  );
  const notOurs = fc.oneof(fc.string(), fc.base64String(), fc.stringMatching(/^[0-9a-z]{1,11}$/));
  fc.assert(
    fc.property(notOurs, (text) => {
      try {
        return formatCursor(parseCursor(text)) === text;
      } catch (error) {
        return (error as { code?: string }).code === 'BAD_CURSOR';
      }
    }),
  );
  const cursor = formatCursor(41);
  const changed = (index: number) =>
    `${cursor.slice(0, index)}${cursor[index] === 'B' ? 'C' : 'B'}${cursor.slice(index + 1)}`;
  const others = [...cursor].map((_, index) => changed(index));
  for (const text of [
    'bogus',
    '3',
    '0',
    '',
    '!!',
    `${cursor}=`,
    ` ${cursor}`,
    `${cursor}A`,
    ...others,
  ]) {
    t.throws(() => parseCursor(text), { code: 'BAD_CURSOR' }, JSON.stringify(text));
  }
});

/** What happens between two pages. */
const event = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), tag: fc.constantFrom('x', 'y') }),
  fc.record({ kind: fc.constantFrom('claim' as const, 'complete' as const), at: fc.nat(1_000) }),
);
const script = fc.record({
  before: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 25 }),
  between: fc.array(fc.array(event, { maxLength: 4 }), { maxLength: 12 }),
  limit: fc.integer({ min: 1, max: 6 }),
  filter: fc.constantFrom<TaskFilter>({}, { tag: 'x' }, { type: 'python' }, { group: 'g' }),
});
type Script = typeof script extends fc.Arbitrary<infer T> ? T : never;

/** Pages through a list while tasks come and change their state. */
async function paged(store: TaskStore, { before, between, limit, filter }: Script) {
  const ids: string[] = [];
  const submit = async (tag: string) => {
    const made = submission({ tags: [tag], group: 'g' });
    await store.submit([made]);
    ids.push(made.view.id);
    return { id: made.view.id, tag };
  };
  const there: { id: string; tag: string }[] = [];
  for (const tag of before) there.push(await submit(tag));
  const type = (await store.readView(there[0]?.id ?? ''))?.type;
  const asked = filter.type === undefined ? filter : { type: type ?? '' };
  const shown: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; ; page++) {
    const { tasks, next } = await store.query({ ...asked, limit, ...(cursor && { cursor }) });
    shown.push(...tasks.map(({ id }) => id));
    cursor = next;
    if (cursor === undefined) break;
    for (const happening of between[page] ?? []) {
      if (happening.kind === 'submit') await submit(happening.tag);
      else await change(store, ids[happening.at % ids.length] ?? '', happening.kind);
    }
  }
  const expected = there.filter(({ tag }) => asked.tag === undefined || tag === asked.tag);
  return { shown, expected: expected.map(({ id }) => id).toReversed() };
}

async function change(store: TaskStore, taskId: string, kind: 'claim' | 'complete') {
  const state = (await store.readView(taskId))?.state;
  const attempt = { attempt: 1, worker: 'w', startedAt: 2_000 };
  if (kind === 'claim' && state === 'pending') await store.claim([{ taskId, attempt }]);
  if (kind === 'complete' && state !== 'finished') await store.complete([success(taskId)]);
}

for (const name of ['memory', 'lmdb'] as const) {
  t.test(
    `${name}: pages show every task that was there, once, whatever comes or ends`,
    async (t) => {
      let number = 0;
      const folder = temporaryFolder(t);
      const open = () =>
        name === 'memory'
          ? new MemoryStore()
          : new LmdbStore({ durability: 'os', directory: `${folder}/${number++}` });
      await fc.assert(
        fc.asyncProperty(script, async (script) => {
          const store = open();
          try {
            const { shown, expected } = await paged(store, script);
            return JSON.stringify(shown) === JSON.stringify(expected);
          } finally {
            await store.close();
          }
        }),
        { numRuns: name === 'memory' ? 300 : 25 },
      );
    },
  );
}

t.test(
  'by state: a task that keeps it is shown once, though others come and leave it',
  async (t) => {
    const stores = [
      new MemoryStore(),
      new LmdbStore({ durability: 'os', directory: `${temporaryFolder(t)}/states` }),
    ];
    for (const store of stores) {
      t.teardown(() => store.close());
      const all = Array.from({ length: 12 }, () => submission());
      await store.submit(all);
      const ids = all.map(({ view }) => view.id).toReversed();
      const shown: string[] = [];
      let cursor: string | undefined;
      for (let page = 0; page === 0 || cursor !== undefined; page++) {
        const found = await store.query({ state: 'pending', limit: 2, ...(cursor && { cursor }) });
        shown.push(...found.tasks.map(({ id }) => id));
        cursor = found.next;
        // One that was shown, and one that is yet to come.
        for (const taskId of [ids[page], ids[11 - page]])
          await change(store, taskId ?? '', 'complete');
        await store.submit([submission()]);
      }
      t.equal(new Set(shown).size, shown.length, 'none twice');
      const kept = [];
      for (const id of ids) if ((await store.readView(id))?.state === 'pending') kept.push(id);
      t.same(
        kept.filter((id) => !shown.includes(id)),
        [],
        'none missed',
      );
    }
  },
);
