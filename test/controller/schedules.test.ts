import t from 'tap';
import { Schedules } from '../../src/controller/schedules.js';
import type { ScheduleSpec } from '../../src/schedule.js';
import { MemoryStore } from '../../src/store/memory.js';

const minute = 60_000;
const start = Date.UTC(2026, 0, 1, 12, 0, 30);
const firstRun = Date.UTC(2026, 0, 1, 12, 1);

async function everyMinute(missed: ScheduleSpec['missed'], store = new MemoryStore()) {
  const schedules = new Schedules(store);
  const task = { code: 'print(1)', type: 'python' };
  const spec = { id: 's', cron: '* * * * *', timeZone: 'UTC', missed, enabled: true, task };
  await schedules.put('create', spec, start);
  return { schedules, store };
}

const timesOf = (runs: readonly { runAt: number }[]) => runs.map(({ runAt }) => runAt);

t.test('a run that could not be submitted is due again', async (t) => {
  const { schedules } = await everyMinute('all');
  const [run] = schedules.takeDue(firstRun);
  t.equal(run?.runAt, firstRun);
  t.same(schedules.takeDue(firstRun + 1), [], 'it is being dealt with');
  if (run) schedules.putBack(run);
  t.same(timesOf(schedules.takeDue(firstRun + minute)), [firstRun, firstRun + minute]);
});

t.test('one that passes over missed runs lets it go once it is late', async (t) => {
  const { schedules } = await everyMinute('skip');
  const [run] = schedules.takeDue(firstRun);
  if (run) schedules.putBack(run);
  t.same(timesOf(schedules.takeDue(firstRun + 4_000)), [firstRun], 'it is not yet');
  if (run) schedules.putBack(run);
  t.same(schedules.takeDue(firstRun + 20_000), []);
});

t.test('a later run that is noted does not hide one that was put back', async (t) => {
  const { schedules, store } = await everyMinute('all');
  const [first, second] = schedules.takeDue(firstRun + minute);
  if (first) schedules.putBack(first);
  if (second) await schedules.note(second, 'a task');
  const next = new Schedules(store);
  await next.read();
  t.same(timesOf(next.takeDue(firstRun + minute)), [firstRun, firstRun + minute]);
});

t.test('a run of a schedule that was changed or deleted is not put back', async (t) => {
  const { schedules } = await everyMinute('all');
  const [run] = schedules.takeDue(firstRun);
  const { nextRunAt: _, lastRunAt: __, lastTaskId: ___, ...spec } = schedules.get('s') ?? {};
  await schedules.put('put', { ...(spec as ScheduleSpec), cron: '0 0 * * *' }, firstRun + 1);
  if (run) schedules.putBack(run);
  t.same(schedules.takeDue(firstRun + minute), []);
  await schedules.delete('s');
  if (run) schedules.putBack(run);
  t.same(schedules.takeDue(firstRun + minute), []);
});
