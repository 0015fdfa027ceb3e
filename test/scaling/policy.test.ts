import t from 'tap';
import { errorCode } from '../../src/errors.js';
import { scalingLimits } from '../../src/scaling/limits.js';
import {
  decide,
  emptyMemory,
  type Memory,
  type Sight,
  type WorkerSight,
} from '../../src/scaling/policy.js';
import { ruleOf } from '../../src/scaling/rule.js';
import { Model } from './model.js';

const rule = ruleOf('python', 4, { min: 0, max: 10, cooldownMs: 60_000 });
const nothing = { start: 0, drain: [], cancel: [], retire: undefined };

function up(name: string, busy: number | undefined, more: Partial<WorkerSight> = {}): WorkerSight {
  return { name, phase: 'up', busy, outdated: false, madeAtMs: 0, upSinceMs: undefined, ...more };
}

function at(nowMs: number, tasks: number | undefined, workers: WorkerSight[] = [], failures = 0) {
  return { nowMs, tasks, workers, failures };
}

function after(...sights: Sight[]): {
  memory: Memory;
  decision: ReturnType<typeof decide>['decision'];
} {
  let last = { memory: emptyMemory, decision: nothing as ReturnType<typeof decide>['decision'] };
  for (const sight of sights) last = decide(rule, last.memory, sight);
  return last;
}

t.test('from zero, as many are started as the tasks fill, up to the ceiling', async (t) => {
  t.same(after(at(0, 0)).decision, nothing);
  t.equal(after(at(0, 1)).decision.start, 1);
  t.equal(after(at(0, 9)).decision.start, 3);
  t.equal(after(at(0, 2_000)).decision.start, 10);
});

t.test(
  'those that start already are not started again; those that drain do not count',
  async (t) => {
    const starting = up('a', undefined, { phase: 'starting' });
    t.equal(after(at(0, 9, [starting, up('b', 4)])).decision.start, 1);
    t.equal(after(at(0, 9, [starting, up('b', 4, { phase: 'draining' })])).decision.start, 2);
  },
);

t.test('the ceiling counts those that drain and end', async (t) => {
  const leaving = Array.from({ length: 8 }, (_, index) =>
    up(`w${index}`, 1, { phase: 'draining' }),
  );
  t.equal(after(at(0, 100, leaving)).decision.start, 2);
});

t.test('one decision starts only so many', async (t) => {
  const wide = ruleOf('python', 1, { min: 0, max: 1_000 });
  const { decision } = decide(wide, emptyMemory, at(0, 500));
  t.equal(decision.start, scalingLimits.startsAtOnceMax);
});

t.test('an idle one is drained once fewer were enough for the whole cooldown', async (t) => {
  const two = [up('a', 2), up('b', 0)];
  t.same(after(at(0, 2, two), at(59_000, 2, two)).decision, nothing);
  t.same(after(at(0, 2, two), at(60_000, 2, two)).decision.drain, ['b']);
  t.same(after(at(0, 2, two), at(30_000, 8, two), at(61_000, 2, two)).decision, nothing);
});

t.test('a busy one is never drained, nor one of which nothing is known', async (t) => {
  const workers = [up('a', 1), up('b', undefined), up('c', 1)];
  t.same(after(at(0, 2, workers), at(60_000, 2, workers)).decision.drain, []);
});

t.test('between the two thresholds nothing changes', async (t) => {
  const three = [up('a', 3), up('b', 3), up('c', 0)];
  t.same(after(at(0, 6, three), at(60_000, 6, three)).decision, nothing);
});

t.test('outdated and young ones are drained first', async (t) => {
  const workers = [
    up('old', 0, { madeAtMs: 1 }),
    up('young', 0, { madeAtMs: 2 }),
    up('outdated', 0, { outdated: true }),
  ];
  const drains = (tasks: number) =>
    after(at(0, tasks, workers), at(60_000, tasks, workers)).decision;
  t.same(drains(0).drain, ['outdated', 'young'], 'the last one is left to the roll');
  t.same(drains(2).drain, ['outdated']);
});

t.test('what is too many and not up yet is cancelled before anything is drained', async (t) => {
  const workers = [up('a', 0), up('b', undefined, { phase: 'starting' })];
  const { decision } = after(at(0, 1, workers), at(60_000, 1, workers));
  t.same(decision.cancel, ['b']);
  t.same(decision.drain, []);
});

t.test('without knowing the tasks nothing is changed, and the cooldown begins anew', async (t) => {
  const two = [up('a', 0), up('b', 0)];
  t.same(after(at(0, 0, two), at(60_000, undefined, two)).decision, nothing);
  t.same(after(at(0, 0, two), at(59_000, undefined, two), at(61_000, 0, two)).decision, nothing);
  const whole = after(at(0, undefined, two), at(1_000, 0, two), at(61_000, 0, two));
  t.same(whole.decision.drain, ['a', 'b']);
});

t.test('failures make the next start wait, longer each time, and are forgotten', async (t) => {
  const failed = after(at(0, 4, [], 3));
  t.equal(failed.decision.start, 0);
  t.equal(decide(rule, failed.memory, at(999, 4)).decision.start, 0);
  t.equal(decide(rule, failed.memory, at(1_000, 4)).decision.start, 1);
  const again = decide(rule, failed.memory, at(1_000, 4, [], 1));
  t.equal(decide(rule, again.memory, at(2_999, 4)).decision.start, 0);
  t.equal(decide(rule, again.memory, at(3_000, 4)).decision.start, 1);
  const later = decide(rule, again.memory, at(3_000 + scalingLimits.failureForgetMs, 4, [], 1));
  t.equal(later.memory.failures.waits, 1, 'the first again');
});

t.test('while another of the same template is well, the wait stays short', async (t) => {
  const long = { waits: 9, notBeforeMs: 256_000 };
  const well = up('a', 4, { upSinceMs: 0 });
  const start = (worker: WorkerSight) => {
    const memory = { ...emptyMemory, failures: long };
    const first = decide(rule, memory, at(20_000, 8, [worker]));
    t.equal(first.decision.start, 0);
    return decide(rule, first.memory, at(30_000, 8, [worker])).decision.start;
  };
  t.equal(start(well), 1);
  t.equal(start({ ...well, outdated: true }), 0);
  t.equal(start({ ...well, upSinceMs: 29_000 }), 0);
});

t.test('the wait after failures has a bound', async (t) => {
  const model = new Model({ rule, startMs: 1_000, taskMs: 1_000 });
  model.brokenUntilMs = Number.POSITIVE_INFINITY;
  let starts = 0;
  for (let second = 0; second < 3_600; second++)
    starts += Number(model.step(second === 0 ? 4 : 0).start > 0);
  t.ok(starts > 12 && starts < 30, `${starts} starts in an hour`);
});

t.test('a new template replaces one after the other, the new one first', async (t) => {
  const model = new Model({ rule: { ...rule, min: 3 }, startMs: 5_000, taskMs: 3_000, workers: 3 });
  model.step(0);
  model.template = 1;
  let least = 3;
  for (let second = 0; second < 60; second++) {
    model.step(2);
    least = Math.min(least, model.count('up'));
    t.ok(model.workers.length <= 4, 'one more than needed at most');
  }
  t.equal(least, 3);
  t.ok(model.workers.every(({ template }) => template === 1));
});

t.test('the one that comes before the old one goes is not taken for one too many', async (t) => {
  const hasty = { ...rule, min: 3, cooldownMs: 2_000 };
  const model = new Model({ rule: hasty, startMs: 5_000, taskMs: 3_000, workers: 3 });
  for (let second = 0; second < 10; second++) model.step(0);
  model.template = 1;
  let starts = 0;
  for (let second = 0; second < 60; second++) starts += model.step(0).start;
  t.equal(starts, 3);
  t.ok(model.workers.every(({ template }) => template === 1));
});

t.test('without room the old one goes first, one at a time', async (t) => {
  const full = ruleOf('python', 1, { min: 3, max: 3 });
  const model = new Model({ rule: full, startMs: 2_000, taskMs: 5_000, workers: 3 });
  model.template = 1;
  for (let second = 0; second < 120; second++) {
    model.step(1);
    t.ok(model.count('up') >= 2);
  }
  t.ok(model.workers.every(({ template }) => template === 1));
});

t.test('a template that does not come up leaves those that work', async (t) => {
  const model = new Model({ rule: { ...rule, min: 3 }, startMs: 2_000, taskMs: 3_000, workers: 3 });
  model.template = 1;
  model.brokenUntilMs = Number.POSITIVE_INFINITY;
  for (let second = 0; second < 600; second++) model.step(1);
  t.equal(
    model.workers.filter(({ phase, template }) => phase === 'up' && template === 0).length,
    3,
  );
});

t.test('bounds that contradict each other are refused', async (t) => {
  const refusal = (bounds: object) => {
    try {
      ruleOf('python', 1, { min: 0, max: 2, ...bounds });
    } catch (error) {
      return errorCode(error);
    }
    return undefined;
  };
  t.equal(refusal({ min: 3 }), 'BAD_CONFIG');
  t.equal(refusal({ upLoad: 1, downLoad: 1 }), 'BAD_CONFIG');
  t.equal(refusal({ upLoad: 0.5 }), undefined, 'the other is set to fit');
});
