import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/clock.js';
import { ScheduledRuns } from '../../src/controller/scheduled-runs.js';
import { Schedules } from '../../src/controller/schedules.js';
import type { Submissions } from '../../src/controller/submissions.js';
import { createLog } from '../../src/log.js';
import { type ScheduleSpec, scheduleLimits } from '../../src/schedule.js';
import { MemoryStore } from '../../src/store/memory.js';
import type { StoredDocument } from '../../src/store/port.js';
import type { TaskSpec } from '../../src/task.js';

const minute = 60_000;
const start = Date.UTC(2026, 0, 1, 12, 0, 30);
const firstRun = Date.UTC(2026, 0, 1, 12, 1);

async function everyMinute(missed: ScheduleSpec['missed'], store = new MemoryStore()) {
  const schedules = new Schedules(store);
  const webhook = { url: 'https://example.com/done', secret: 'whsec_of-its-own' };
  const task = { code: 'print(1)', type: 'python', webhook };
  const spec = { id: 's', cron: '* * * * *', timeZone: 'UTC', missed, enabled: true, task };
  await schedules.put('create', spec, start);
  return { schedules, store, spec };
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

/** A store that takes its time. */
class SlowStore extends MemoryStore {
  override async putDocument(document: StoredDocument): Promise<void> {
    await setImmediate();
    await super.putDocument(document);
  }

  override async deleteDocument(kind: string, id: string): Promise<void> {
    await setImmediate();
    await super.deleteDocument(kind, id);
  }
}

/** The schedule as it is, which is as the next controller finds it. */
async function lasting(t: Test, schedules: Schedules, store: MemoryStore) {
  const next = new Schedules(store);
  await next.read();
  t.same(next.get('s'), schedules.get('s'));
  return schedules.get('s');
}

t.test('what passes while it is disabled is not made up for, and all else stays', async (t) => {
  for (const missed of ['skip', 'once', 'all'] as const) {
    const { schedules, store, spec } = await everyMinute(missed);
    const [run] = schedules.takeDue(firstRun);
    if (run) await schedules.note(run, 'a task');
    const runs = { lastRunAt: firstRun, lastTaskId: 'a task' };
    const disabled = { ...spec, ...runs, enabled: false };
    t.same(await schedules.setEnabled('s', false, firstRun + 1), disabled);
    t.same(await lasting(t, schedules, store), disabled);
    const later = firstRun + 10 * minute;
    t.same(schedules.takeDue(later), []);
    const next = new Schedules(store);
    await next.read();
    t.same(next.takeDue(later), [], 'nor by the next controller');
    const enabled = { ...spec, ...runs, nextRunAt: later + minute };
    t.same(await next.setEnabled('s', true, later + 1), enabled);
    t.same(await lasting(t, next, store), enabled);
    t.same(next.takeDue(later + minute - 1), []);
    t.same(timesOf(next.takeDue(later + minute)), [later + minute]);
  }
});

t.test('to enable what is enabled changes nothing, also not what it owes', async (t) => {
  const { schedules, store } = await everyMinute('all');
  const before = schedules.get('s');
  const writes = t.capture(store, 'putDocument');
  t.same(await schedules.setEnabled('s', true, firstRun + minute), before);
  t.same(timesOf(schedules.takeDue(firstRun + minute)), [firstRun, firstRun + minute]);
  t.same(writes(), []);
  t.equal(await schedules.setEnabled('none', true, firstRun), undefined);
  t.equal(await schedules.setEnabled('none', false, firstRun), undefined);
});

t.test('a run that could not be submitted before it was disabled is not made up for', async (t) => {
  const { schedules } = await everyMinute('all');
  const [run] = schedules.takeDue(firstRun);
  await schedules.setEnabled('s', false, firstRun + 1);
  if (run) schedules.putBack(run);
  await schedules.setEnabled('s', true, firstRun + 2);
  if (run) schedules.putBack(run);
  t.same(timesOf(schedules.takeDue(firstRun + minute)), [firstRun + minute]);
});

t.test('of changes at the same time none brings back what another has changed', async (t) => {
  const { schedules, store, spec } = await everyMinute('all', new SlowStore());
  const [run] = schedules.takeDue(firstRun);
  if (!run) throw new Error('nothing is due');
  const now = firstRun + 1;
  const other = { ...spec, cron: '@daily' };
  await Promise.all([
    schedules.put('put', other, now),
    schedules.setEnabled('s', false, now),
    schedules.note(run, 'a task'),
  ]);
  const disabled = { ...other, enabled: false, lastRunAt: firstRun, lastTaskId: 'a task' };
  t.same(await lasting(t, schedules, store), disabled);

  const turns = [true, false, true].map((enabled) => schedules.setEnabled('s', enabled, now));
  await Promise.all([...turns, schedules.note(run, 'another')]);
  t.match(await lasting(t, schedules, store), { enabled: true, lastTaskId: 'another' });
  await Promise.all([schedules.setEnabled('s', false, now), schedules.put('put', spec, now)]);
  t.match(await lasting(t, schedules, store), spec);
});

t.test('of a schedule that is deleted at the same time nothing comes back', async (t) => {
  const { schedules, store, spec } = await everyMinute('all', new SlowStore());
  const [run] = schedules.takeDue(firstRun);
  if (!run) throw new Error('nothing is due');
  const [, , isGone, enabled] = await Promise.all([
    schedules.put('put', { ...spec, cron: '@daily' }, firstRun),
    schedules.setEnabled('s', false, firstRun),
    schedules.delete('s'),
    schedules.setEnabled('s', true, firstRun),
    schedules.note(run, 'a task'),
  ]);
  t.equal(isGone, true);
  t.equal(enabled, undefined);
  t.equal(await lasting(t, schedules, store), undefined);
});

t.test('a change that could not be stored is not made, and the next one is', async (t) => {
  const { schedules, store, spec } = await everyMinute('all', new SlowStore());
  const fault = new Error('full');
  store.putDocument = () => Promise.reject(fault);
  const refused = schedules.setEnabled('s', false, start);
  const isGone = schedules.delete('s');
  await t.rejects(refused, fault);
  t.equal(await isGone, true);
  t.equal(await lasting(t, schedules, store), undefined);
  await t.rejects(schedules.put('create', spec, start), fault);
  t.equal(schedules.get('s'), undefined);
});

t.test('a task that is not for schedules is refused here, too', async (t) => {
  const { schedules, spec } = await everyMinute('all');
  const submissions = { check: () => ({}) } as unknown as Submissions;
  const log = createLog('test', 'silent');
  const runs = new ScheduledRuns({ schedules, submissions, clock: systemClock, log });
  const put = (task: Partial<TaskSpec>) =>
    runs.put('put', { ...spec, task: { ...spec.task, ...task } });
  const code = 'x'.repeat(scheduleLimits.taskBytesMax + 1);
  await t.rejects(put({ code }), { code: 'INVALID_FIELD', field: 'task.code' });
  await t.rejects(put({ runAt: 1 }), { code: 'INVALID_FIELD', field: 'task.runAt' });
  t.match(await put({}), { created: false });
});
