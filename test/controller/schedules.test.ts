import { setImmediate } from 'node:timers/promises';
import { Cron } from 'croner';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/clock.js';
import { controllerLimits } from '../../src/controller/limits.js';
import { ScheduledRuns } from '../../src/controller/scheduled-runs.js';
import { Schedules } from '../../src/controller/schedules.js';
import type { Submissions } from '../../src/controller/submissions.js';
import { cronFault, nextRunAt } from '../../src/cron.js';
import { createLog } from '../../src/log.js';
import { missedRules, type ScheduleSpec, scheduleLimits } from '../../src/schedule.js';
import { MemoryStore } from '../../src/store/memory.js';
import type { StoredDocument } from '../../src/store/port.js';
import type { TaskSpec } from '../../src/task.js';
import { linesLog } from '../http/log-lines.js';

const minute = 60_000;
const start = Date.UTC(2026, 0, 1, 12, 0, 30);
const firstRun = Date.UTC(2026, 0, 1, 12, 1);
/** When another controller reads them. */
const afterwards = start + 60 * minute;
const log = createLog('test', 'silent');

async function everyMinute(missed: ScheduleSpec['missed'], store = new MemoryStore()) {
  const schedules = new Schedules(store, log);
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
  const next = new Schedules(store, log);
  await next.read(afterwards);
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
  const next = new Schedules(store, log);
  await next.read(afterwards);
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
    const next = new Schedules(store, log);
    await next.read(afterwards);
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

const task = { code: 'print(1)', type: 'python' };
const scheduleOf = (id: string, cron: string, more: Partial<ScheduleSpec> = {}): ScheduleSpec => ({
  ...{ id, cron, timeZone: 'UTC', missed: 'all', enabled: true, task },
  ...more,
});

/** What is due, by looking at every time there is; undefined when they are too many for that. */
function dueOneByOne({ cron, timeZone, missed }: ScheduleSpec, since: number, now: number) {
  const runs: number[] = [];
  for (let at = nextRunAt(cron, timeZone, since); at !== undefined && at <= now; ) {
    if (runs.push(at) > 250) return undefined;
    at = nextRunAt(cron, timeZone, at);
  }
  if (missed === 'skip') return runs.filter((at) => now - at <= 5_000);
  return missed === 'once' ? runs.slice(-1) : runs.slice(-controllerLimits.missedRunsMax);
}

t.test('what is due is what looking at every time one by one finds', async (t) => {
  const numbers = (min: number, max: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: 2, max: 12 }).map((step) => `*/${step}`),
      fc.integer({ min, max }).map(String),
      fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map((both) => both.join(',')),
    );
  const cron = fc
    .tuple(
      fc.oneof({ weight: 3, arbitrary: fc.constant('') }, numbers(0, 59)),
      numbers(0, 59),
      // Most clocks are changed between midnight and three.
      fc.oneof(fc.constantFrom('0', '1', '2', '3', '1-3', '0,23'), numbers(0, 23)),
      fc.constantFrom('*', '*', '*', '1', '13', '29', '31', 'L', '15W', '1,15'),
      fc.constantFrom('*', '*', '*', '*/3', '3', '10'),
      fc.constantFrom('*', '*', '*', 'SUN', 'MON-FRI', '5#2', '0L', '+6'),
    )
    .map((fields) => fields.join(' ').trim());
  const changes: [string, string][] = [
    ['UTC', '2026-03-01T00:00:00Z'],
    ['Europe/Vienna', '2026-03-29T01:00:00Z'],
    ['Europe/Vienna', '2026-10-25T01:00:00Z'],
    ['America/New_York', '2026-11-01T06:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['Africa/Cairo', '2026-04-23T22:00:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['Asia/Pyongyang', '2018-05-04T15:00:00Z'],
  ];
  const hour = 60 * minute;
  const spans = fc.constantFrom(10_000, 5 * minute, 3 * hour, 50 * hour, 400 * 24 * hour);
  const cases = fc.record({
    cron,
    change: fc.constantFrom(...changes),
    missed: fc.constantFrom(...missedRules),
    span: spans.chain((max) => fc.noBias(fc.integer({ min: 1, max }))),
    /** After a run; undefined: at any time. */
    delay: fc.option(fc.integer({ min: 0, max: 7_000 }), { nil: undefined }),
    ahead: fc.double({ min: -0.2, max: 1.2, noNaN: true }),
  });
  let some = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ cron, change, missed, span, delay, ahead }) => {
      const [timeZone, at] = change;
      const spec = scheduleOf('s', cron, { timeZone, missed });
      fc.pre(cronFault(cron, timeZone) === undefined);
      const since = Math.round(Date.parse(at) - span * ahead);
      const end = since + span;
      const run = delay === undefined ? undefined : nextRunAt(cron, timeZone, end);
      const now = run === undefined ? end : run + (delay ?? 0);
      const expected = dueOneByOne(spec, since, now);
      fc.pre(expected !== undefined);
      const schedules = new Schedules(new MemoryStore(), log);
      await schedules.put('create', spec, since);
      t.same(timesOf(schedules.takeDue(now)), expected, JSON.stringify({ spec, since, now }));
      t.equal(schedules.get('s')?.nextRunAt, nextRunAt(cron, timeZone, now));
      if (expected?.length) some += 1;
    }),
    { seed: 20261127, numRuns: 150 },
  );
  t.ok(some > 60, `something is due in ${some} cases`);
});

t.test('what has come due in ten years is found in a few looks', async (t) => {
  const now = start + 3_653 * 24 * 60 * minute;
  for (const cron of ['* * * * *', '* * * * * *', '* * * 1 1 *', '0 0 29 2 *']) {
    for (const missed of missedRules) {
      const schedules = new Schedules(new MemoryStore(), log);
      await schedules.put('create', scheduleOf('s', cron, { missed }), start);
      const { nextRun, previousRuns } = Cron.prototype;
      const after = t.capture(Cron.prototype, 'nextRun', nextRun);
      const before = t.capture(Cron.prototype, 'previousRuns', previousRuns);
      const due = schedules.takeDue(now);
      const count = after().length + before().length;
      after.restore();
      before.restore();
      const most = { skip: 7, once: 1, all: controllerLimits.missedRunsMax }[missed];
      t.ok(due.length <= most, `${cron} ${missed}: ${due.length} runs`);
      t.ok(count > 0 && count <= most + 2, `${cron} ${missed}: ${count} looks`);
    }
  }
});

t.test('what there is no time for has its turn in the next calls, and is not late', async (t) => {
  const schedules = new Schedules(new MemoryStore(), log);
  const ids = ['a', 'b', 'c', 'd'];
  for (const id of ids) {
    await schedules.put('create', scheduleOf(id, '* * * * *', { missed: 'skip' }), start);
  }
  const taken = ids.map((_, turn) => schedules.takeDue(firstRun + turn * 4_000, 0));
  t.same(
    taken.map((runs) => runs.map(({ schedule, runAt }) => [schedule.id, runAt])),
    ids.map((id) => [[id, firstRun]]),
  );
  t.same(schedules.takeDue(firstRun + 20_000), []);
});

t.test('those that are always due do not keep the others from their turn', async (t) => {
  const schedules = new Schedules(new MemoryStore(), log);
  for (const id of ['a', 'b', 'c']) {
    await schedules.put('create', scheduleOf(id, '* * * * * *'), start);
  }
  await schedules.put('create', scheduleOf('d', '* * * * *'), start);
  const taken = new Set<string | undefined>();
  for (let turn = 0; turn < 4; turn += 1) {
    const runs = schedules.takeDue(firstRun + turn * 1_000, 0);
    taken.add(runs[0]?.schedule.id);
    for (const run of runs) schedules.putBack(run);
  }
  t.same([...taken], ['a', 'b', 'c', 'd']);
});

t.test('a clock that was ahead for a moment does not silence a schedule', async (t) => {
  const year = 365 * 24 * 60 * minute;
  for (const ahead of [60 * minute, 10 * year]) {
    for (const missed of missedRules) {
      const { schedules, store } = await everyMinute(missed);
      for (const run of schedules.takeDue(firstRun + ahead)) await schedules.note(run, 'a task');
      const now = firstRun + 1_000;
      const next = new Schedules(store, log);
      await next.read(now);
      for (const each of [schedules, next]) {
        t.same(each.takeDue(now), []);
        t.equal(each.get('s')?.nextRunAt, firstRun + minute);
        t.same(timesOf(each.takeDue(firstRun + minute)), [firstRun + minute]);
        t.same(timesOf(each.takeDue(firstRun + 2 * minute)), [firstRun + 2 * minute]);
      }
    }
  }
});

t.test(
  'a run that failed while the clock was ahead, and could not wait, is due again',
  async (t) => {
    const { schedules } = await everyMinute('all');
    const [first] = schedules.takeDue(firstRun + 3 * minute);
    t.same(schedules.takeDue(firstRun + 1), []);
    if (first) schedules.putBack(first);
    t.same(timesOf(schedules.takeDue(firstRun + minute)), [firstRun, firstRun + minute]);
  },
);

t.test('a clock that was behind has nothing submitted again', async (t) => {
  const day = 24 * 60 * minute;
  for (const missed of missedRules) {
    const store = new MemoryStore();
    const schedules = new Schedules(store, log);
    await schedules.put('create', scheduleOf('s', '@daily', { missed }), start);
    const midnight = Date.UTC(2026, 0, 11);
    for (const run of schedules.takeDue(midnight)) await schedules.note(run, 'a task');
    const next = new Schedules(store, log);
    await next.read(Date.UTC(1970, 0, 2, 12));
    for (const each of [schedules, next]) {
      t.same(each.takeDue(Date.UTC(1970, 0, 2, 12)), []);
      t.same(each.takeDue(midnight + 60 * minute), []);
      t.same(timesOf(each.takeDue(midnight + day)), [midnight + day]);
    }
  }
});

t.test('a stored schedule that is no cron any more is told, and hinders no other', async (t) => {
  const store = new MemoryStore();
  const broken = [
    scheduleOf('hour', '0 25 * * *'),
    scheduleOf('zone', '* * * * *', { timeZone: 'Mars/Olympus' }),
  ];
  const good = scheduleOf('good', '* * * * *');
  for (const spec of [...broken, good]) {
    const value = { spec, doneUntil: start };
    await store.putDocument({ kind: 'schedule', id: spec.id, value });
  }
  const { log, lines } = linesLog();
  const schedules = new Schedules(store, log);
  await schedules.read(start);
  t.match(lines, [
    { level: 50, schedule: 'hour', msg: /schedule hour .*25/ },
    { level: 50, schedule: 'zone', msg: /schedule zone .*Mars\/Olympus/ },
  ]);
  t.same(
    schedules.list().map(({ id, nextRunAt: at }) => [id, at]),
    [
      ['good', firstRun],
      ['hour', undefined],
      ['zone', undefined],
    ],
  );
  t.same(
    schedules.takeDue(firstRun).map(({ schedule }) => schedule.id),
    ['good'],
  );
  // The clock went back.
  t.same(schedules.takeDue(start - 60 * minute), []);
  for (const spec of broken) {
    t.same(schedules.get(spec.id), spec);
    const disabled = { ...spec, enabled: false };
    t.same(await schedules.setEnabled(spec.id, false, start), disabled);
    t.same(await schedules.setEnabled(spec.id, true, start), spec);
  }
  await schedules.put('put', scheduleOf('hour', '* * * * *'), start);
  t.equal(schedules.get('hour')?.nextRunAt, firstRun);
  t.equal(await schedules.delete('zone'), true);
  t.equal(schedules.get('zone'), undefined);
});

t.test('of schedules that are made at the same time there are not too many either', async (t) => {
  const store = new SlowStore();
  const most = scheduleLimits.schedulesMax;
  for (let index = 0; index < most - 2; index += 1) {
    const spec = scheduleOf(`s${index}`, '* * * * *', { enabled: false });
    await store.putDocument({ kind: 'schedule', id: spec.id, value: { spec, doneUntil: start } });
  }
  const schedules = new Schedules(store, log);
  await schedules.read(start);
  const create = (id: string) => schedules.put('create', scheduleOf(id, '* * * * *'), start);
  const made = await Promise.allSettled(['a', 'b', 'c', 'd'].map(create));
  t.match(made, [
    { status: 'fulfilled' },
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'TOO_MANY_SCHEDULES' } },
    { status: 'rejected', reason: { code: 'TOO_MANY_SCHEDULES' } },
  ]);
  t.equal(schedules.list().length, most);
  await schedules.delete('a');
  const fault = new Error('full');
  const failing = t.capture(store, 'putDocument', () => Promise.reject(fault));
  await t.rejects(create('e'), fault);
  failing.restore();
  await create('f');
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
