import fc from 'fast-check';
import t from 'tap';
import { checkStore } from '../../src/store/lmdb/check.js';
import { openForReading } from '../../src/store/lmdb/environment.js';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { MemoryStore } from '../../src/store/memory.js';
import type { TaskStore } from '../../src/store/port.js';
import { crashed, everyTask, plain, submission, success, temporaryFolder } from './fixtures.js';

/** What is done to a task; `at` chooses one of those there are. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('submit' as const),
    type: fc.constantFrom('a', 'b'),
    group: fc.option(fc.constantFrom('g', 'h'), { nil: undefined }),
    tags: fc.array(fc.constantFrom('x', 'y', 'xy', 'é'), { maxLength: 3 }),
    key: fc.option(fc.constantFrom('k', 'l'), { nil: undefined }),
    told: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom(
      'claim',
      'requeue',
      'complete',
      'touch',
      'resubmit',
      'note',
      'reopen',
      'crash',
    ),
    at: fc.nat(30),
    flag: fc.boolean(),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One task of the model: its id and the number of its attempt. */
interface Known {
  id: string;
  attempt: number;
}

async function apply(store: TaskStore, known: Known | undefined, step: Step, made: Made) {
  if (step.kind === 'submit') return store.submit([made.submission]);
  if (!known || !('at' in step)) return undefined;
  const { id: taskId, attempt: number } = known;
  const state = (await store.readView(taskId))?.state;
  const attempt = { attempt: number + 1, worker: 'w', startedAt: 2_000 };
  const ended = {
    ...attempt,
    attempt: number,
    finishedAt: 2_500,
    outcome: 'network_fail',
  } as const;
  const { flag } = step;
  switch (step.kind) {
    case 'claim':
      return state === 'pending' ? store.claim([{ taskId, attempt }]) : undefined;
    case 'requeue': {
      const again = flag ? { nextAttemptAt: 9_000, workerDeaths: 2 } : {};
      return state === 'running'
        ? store.requeue([{ taskId, attempt: ended, ...again }])
        : undefined;
    }
    case 'complete': {
      if (state === 'finished') return undefined;
      const ending = { outcome: 'network_fail', code: 'WORKER_LOST' } as const;
      const completion = success(taskId, made.finishedAt);
      return store.complete([flag ? completion : { ...completion, ending, deadLetter: true }]);
    }
    case 'touch': {
      const cancel = { cause: 'caller', requestedAt: 5 } as const;
      const changes = flag ? { cancel, runAt: 7 } : { nextAttemptAt: 8, runAt: null, priority: 2 };
      return store.touch([{ taskId, changes }]);
    }
    case 'note': {
      const delivery = await store.readDelivery(taskId);
      if (!delivery) return undefined;
      const { nextAttemptAt: _, ...kept } = delivery;
      const noted = { ...kept, tries: delivery.tries + 1 };
      const nextAttemptAt = made.finishedAt + 500;
      return store.noteDelivery(
        taskId,
        flag ? { ...noted, state: 'delivered' } : { ...noted, state: 'due', nextAttemptAt },
      );
    }
    case 'resubmit':
      return store.resubmit([{ taskId, ...(flag && { runAt: 77 }) }]);
    default:
      return undefined;
  }
}

interface Made {
  submission: ReturnType<typeof submission>;
  finishedAt: number;
}

/** Everything that the port tells. */
async function told(store: TaskStore) {
  const records = [];
  for await (const chunk of store.unfinished()) records.push(...chunk);
  const history = [];
  for await (const chunk of store.history({ from: 0, to: 1e9 })) history.push(...chunk);
  const owed = [];
  for await (const chunk of store.owedDeliveries({ from: 0, to: 1e9 })) owed.push(...chunk);
  const filters = [
    {},
    { state: 'pending' },
    { state: 'running' },
    { state: 'finished', type: 'a' },
    { outcome: 'success' },
    { outcome: 'network_fail' },
    { group: 'g' },
    { tag: 'x' },
    { tag: 'é', type: 'b' },
    { deadLetter: true },
  ] as const;
  const pages = [];
  for (const filter of filters) pages.push(await everyTask(store, { ...filter, limit: 3 }));
  const views = await Promise.all((pages[0] ?? []).map(({ id }) => store.readView(id)));
  const ids = (pages[0] ?? []).map(({ id }) => id);
  const deliveries = await Promise.all(ids.map((id) => store.readDelivery(id)));
  const { pending, running, finished } = store.stats();
  // The stores count the bytes of specs in their own ways.
  const withoutBytes = records.map(({ bytes: _, ...record }) => record);
  const counts = { pending, running, finished };
  return plain({ records: withoutBytes, history, owed, deliveries, pages, views, counts });
}

t.test('whatever is done, the store on disk tells the same as the one in memory', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let directory = temporaryFolder(t);
      const open = () => new LmdbStore({ directory, durability: 'os' });
      const memory = new MemoryStore();
      let disk = open();
      const all: Known[] = [];
      let finishedAt = 3_000;
      for (const step of steps) {
        const {
          type = 'a',
          group,
          tags = [],
          key,
          told: isTold,
        } = step.kind === 'submit' ? step : {};
        const webhook = isTold && { webhook: { origin: 'https://a.test' } };
        const view = { type, tags, ...(group !== undefined && { group }), ...webhook };
        const spec = key === undefined ? {} : { idempotencyKey: key };
        const made = { submission: submission(view, spec), finishedAt: finishedAt++ };
        const known = 'at' in step ? all[step.at % (all.length || 1)] : undefined;
        if (step.kind === 'reopen') {
          await disk.close();
          disk = open();
        }
        if (step.kind === 'crash') {
          const copy = crashed(t, directory);
          await disk.close();
          directory = copy;
          disk = open();
        }
        const expected = await apply(memory, known, step, made);
        t.same(plain([await apply(disk, known, step, made)]), plain([expected]));
        const { id } = made.submission.view;
        if (step.kind === 'submit' && (await memory.readView(id))) all.push({ id, attempt: 0 });
        if (known) known.attempt = (await memory.readView(known.id))?.attempt ?? 0;
      }
      t.same(await told(disk), await told(memory));
      await disk.close();
      const reading = openForReading(directory);
      t.same(checkStore(reading).problems, []);
      await reading.root.close();
      return t.passing();
    }),
    { numRuns: 40 },
  );
});
