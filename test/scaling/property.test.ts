import fc from 'fast-check';
import t from 'tap';
import { ruleOf } from '../../src/scaling/rule.js';
import { Model } from './model.js';

const rules = fc
  .record({
    min: fc.integer({ min: 0, max: 5 }),
    extra: fc.integer({ min: 0, max: 30 }),
    slots: fc.integer({ min: 1, max: 8 }),
    upLoad: fc.double({ min: 0.2, max: 4, noNaN: true }),
    ratio: fc.double({ min: 0.1, max: 0.95, noNaN: true }),
    cooldownMs: fc.integer({ min: 0, max: 120 }).map((seconds) => seconds * 1_000),
  })
  .map(({ min, extra, slots, upLoad, ratio, cooldownMs }) => {
    const bounds = { min, max: Math.max(1, min + extra), upLoad, downLoad: upLoad * ratio };
    return ruleOf('python', slots, { ...bounds, cooldownMs });
  });

const worlds = fc.record({
  rule: rules,
  startMs: fc.integer({ min: 1, max: 20 }).map((seconds) => seconds * 1_000),
  taskMs: fc.integer({ min: 1, max: 10 }).map((seconds) => seconds * 1_000),
});

/** What happens in one second, beside the policy. */
const events = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ arrive: fc.integer({ min: 0, max: 60 }) }) },
    { weight: 1, arbitrary: fc.record({ kill: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ known: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ brokenMs: fc.integer({ min: 0, max: 20_000 }) }) },
    { weight: 1, arbitrary: fc.record({ template: fc.nat() }) },
  ),
  { maxLength: 200 },
);

t.test('whatever happens: never above max, none busy drained, none below min', async () => {
  fc.assert(
    fc.property(worlds, events, (world, happening) => {
      const { rule } = world;
      const model = new Model({ ...world, workers: rule.min });
      for (const event of happening) {
        if ('kill' in event) model.kill(event.kill);
        if ('known' in event) model.known = event.known;
        if ('brokenMs' in event) model.brokenUntilMs = model.nowMs + event.brokenMs;
        if ('template' in event) model.template = event.template;
        const before = model.count('up');
        const decision = model.step('arrive' in event ? event.arrive : 0);
        if (model.workers.length > rule.max) throw new Error('above max');
        for (const name of decision.drain) {
          if (model.busy(name) > 0) throw new Error(`${name} is busy and was drained`);
        }
        if (decision.drain.length > 0 && model.count('up') < rule.min) throw new Error('below min');
        if (decision.retire && decision.drain.length + decision.start > 0)
          throw new Error('rolls while it scales');
        if (!model.known && before > model.count('up') + model.count('draining'))
          throw new Error('changed without knowing');
      }
    }),
    { numRuns: 300 },
  );
});

t.test('a load that stays is met, and then nothing changes any more', async () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 0, max: 200 }), fc.nat(40), (world, tasks, workers) => {
      const { rule } = world;
      // Tasks that never end: the load is what it is.
      const model = new Model({ rule, startMs: world.startMs, taskMs: Number.POSITIVE_INFINITY });
      model.pending = workers;
      for (let second = 0; second < 60; second++) model.step(0);
      model.pending += Math.max(0, tasks - workers);
      for (let second = 0; second < 400; second++) model.step(0);
      const settled = model.workers.map(({ name }) => name);
      for (let second = 0; second < 300; second++) {
        const { start, drain, cancel, retire } = model.step(0);
        if (start + drain.length + cancel.length > 0 || retire) throw new Error('flaps');
      }
      const load = model.pending + model.running;
      const least = Math.min(
        rule.max,
        Math.max(rule.min, Math.ceil(load / (rule.slots * rule.upLoad))),
      );
      if (settled.length < least) throw new Error(`${settled.length} workers, ${least} are needed`);
    }),
    { numRuns: 200 },
  );
});

t.test('when nothing is left to do, only min stay', async () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 0, max: 300 }), (world, tasks) => {
      const { rule } = world;
      const model = new Model(world);
      model.step(tasks);
      const workMs = (tasks / Math.max(1, rule.max * rule.slots) + 1) * world.taskMs;
      const seconds = Math.ceil((workMs * (rule.max + 1) + rule.cooldownMs * 2 + 100_000) / 1_000);
      for (let second = 0; second < Math.min(seconds, 20_000); second++) model.step(0);
      if (model.finished !== tasks) throw new Error(`${model.finished} of ${tasks} finished`);
      if (model.workers.length !== rule.min) throw new Error(`${model.workers.length} stay`);
    }),
    { numRuns: 100 },
  );
});

t.test('a steady stream of tasks makes no worker come and go', async () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 1, max: 20 }), (world, perSecond) => {
      const rule = { ...world.rule, cooldownMs: Math.max(60_000, world.rule.cooldownMs) };
      const model = new Model({ ...world, rule });
      for (let second = 0; second < 900; second++) model.step(perSecond);
      const capacity = (rule.max * rule.slots * 1_000) / world.taskMs;
      if (capacity <= perSecond) return;
      let changes = 0;
      for (let second = 0; second < 600; second++) {
        const { start, drain } = model.step(perSecond);
        changes += start + drain.length;
      }
      if (changes > 0) throw new Error(`${changes} changes in ten minutes`);
    }),
    { numRuns: 100 },
  );
});

t.test('a new template reaches all, and no start is in vain', async () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 0, max: 40 }), (world, tasks) => {
      const { startMs } = world;
      const rule = { ...world.rule, cooldownMs: Math.max(60_000, world.rule.cooldownMs) };
      const model = new Model({ rule, startMs, taskMs: 3_000 });
      const step = () => model.step(Math.max(0, tasks - model.pending - model.running)).start;
      for (let second = 0; second < 300; second++) step();
      const before = model.workers.length;
      model.template = 1;
      let starts = 0;
      for (let second = 0; second < 1_500; second++) starts += step();
      if (model.workers.some(({ template }) => template !== 1)) throw new Error('not all');
      if (starts > before + rule.max) throw new Error(`${starts} starts for ${before} workers`);
    }),
    { numRuns: 60 },
  );
});
