import t from 'tap';
import { systemClock } from '../../src/clock.js';
import { Watches } from '../../src/controller/clients.js';
import { Figures } from '../../src/controller/figures.js';
import type { Fleet } from '../../src/controller/fleet.js';
import { Flights } from '../../src/controller/flights.js';
import { FreshTasks } from '../../src/controller/fresh-tasks.js';
import { Ledger } from '../../src/controller/ledger.js';
import { Performer } from '../../src/controller/performer.js';
import { createLog } from '../../src/log.js';
import { Admission } from '../../src/scheduler/admission.js';
import type { Action } from '../../src/scheduler/scheduler.js';
import { lmdbStore, submission } from '../store/fixtures.js';

const anything = { tasks: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

t.test('what ends and begins again in one turn is stored in that order', async (t) => {
  const store = lmdbStore(t).open();
  const log = createLog('test', 'silent');
  const flights = new Flights();
  // Its workers are gone: what is sent to them leads nowhere, and what is stored counts all the same.
  const fleet = { get: () => undefined } as Partial<Fleet> as Fleet;
  const changed: string[] = [];
  const performer = new Performer({
    ...{ fleet, store, flights, log },
    ledger: new Ledger(store, log),
    fresh: new FreshTasks(),
    admission: new Admission({ all: anything, perGroup: anything }),
    watches: new Watches(),
    followers: { changed: (taskId) => changed.push(taskId) },
    figures: new Figures([]),
    clock: systemClock,
    onUnread: () => undefined,
    onFinished: () => undefined,
    onUnsendable: () => t.fail('it is small'),
    onIdle: () => undefined,
  });
  const { view, spec } = submission();
  const taskId = view.id;
  await store.submit([{ view, spec }]);
  flights.add(taskId, { bytes: 1, group: undefined }, 0);
  const perform = (...actions: Action[]) => performer.perform(actions, 0);
  perform({ type: 'dispatch', taskId, workerId: 'p', attempt: 1, tried: 1 });
  perform(
    { type: 'giveBack', taskId, workerId: 'p', attempt: 1, tried: 0 },
    { type: 'dispatch', taskId, workerId: 'q', attempt: 2, tried: 1 },
  );
  // Behind all of it.
  await store.touch([{ taskId, changes: { priority: 3 } }]);
  t.match(await store.readView(taskId), { state: 'running', attempt: 2, worker: 'q' });
  for await (const [record] of store.unfinished()) {
    t.match(record, { state: 'running', attempt: 2, attemptsBefore: 1, worker: 'q' });
  }
  const ending = { outcome: 'cancelled', code: 'CANCELLED', reason: 'x' } as const;
  perform({ type: 'finish', taskId, workerId: 'q', attempt: 2, ending });
  await store.touch([]);
  t.match(await store.readView(taskId), { state: 'finished', attempts: [{ attempt: 1 }, {}] });
  t.same(changed, Array(4).fill(taskId), 'those who follow are told of each step that is stored');
});
