import t from 'tap';
import {
  type EvaluatorFault,
  type EvaluatorModule,
  evaluatorMisfit,
  evaluatorOf,
} from '../../src/scheduler/own-evaluator.js';

const task = { type: 'python', code: '', priority: 2, tags: [], createdAt: 0 };
const known = ['python', 'node'];

t.test('what is no module of rules is told as one', async (t) => {
  t.equal(evaluatorMisfit({ score: () => 1 }), undefined);
  for (const module of [undefined, null, 1, {}, { score: 1 }, { route: 'x', score: () => 1 }]) {
    t.type(evaluatorMisfit(module), 'string');
  }
});

t.test('own rules are used, and the built-in ones where there are none', async (t) => {
  const none = evaluatorOf(undefined, () => t.fail('no fault'));
  t.equal(none.score(task, 0), 120_000);
  const own = evaluatorOf({ score: ({ priority }) => -priority }, () => t.fail('no fault'));
  t.equal(own.score(task, 0), -2);
  t.same(own.route(task, known), { type: 'python' });
});

t.test('a rule that throws or answers nonsense is told of and replaced', async (t) => {
  const bad: unknown[] = [
    () => {
      throw new Error('mine');
    },
    () => Number.NaN,
    () => '1',
    async () => 1,
    () => 1e300,
    () => ({ type: 'ruby' }),
    () => null,
  ];
  for (const rule of bad) {
    const faults: EvaluatorFault[] = [];
    const module = { score: rule, route: rule } as EvaluatorModule;
    const evaluator = evaluatorOf(module, (fault) => faults.push(fault));
    t.equal(evaluator.score(task, 0), 120_000);
    t.same(evaluator.route(task, known), { type: 'python' });
    t.same(
      faults.map((fault) => fault.rule),
      ['score', 'route'],
    );
  }
});
