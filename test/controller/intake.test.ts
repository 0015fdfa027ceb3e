import t from 'tap';
import { type Accepted, intake, type Refusal, withDefaults } from '../../src/controller/intake.js';
import { limits } from '../../src/limits.js';
import type { TaskSpec } from '../../src/task.js';

const context = { types: ['python'], durability: 'memory', wallMs: 1_000, nowMs: 7 } as const;
const take = (spec: TaskSpec) => intake(spec, context) as Accepted & Refusal;

t.test('a task gets an id, its type, and limits for what it did not ask', async (t) => {
  const { submission, task } = take({ code: 'print(1)', type: 'python', limits: { wallMs: 5 } });
  t.match(submission.view.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  t.match(submission.view, { state: 'pending', type: 'python', attempt: 0, createdAt: 1_000 });
  t.match(submission.view.limits, { wallMs: 5, outputBytes: limits.outputBytesDefault });
  t.match(task, { wallMs: 5, maxAttempts: limits.attemptsDefault, priority: 0 });
});

t.test('the place in the queue does not hang on the clock on the wall', async (t) => {
  const { submission, task } = take({ code: '', type: 'python' });
  t.equal(task.createdAt, context.nowMs);
  t.equal(submission.view.createdAt, context.wallMs);
});

t.test('who asks for more real time gets as much processor time', async (t) => {
  t.equal(withDefaults({ wallMs: 3_600_000 }).cpuMs, 3_600_000);
  t.equal(withDefaults({ wallMs: 3_600_000, cpuMs: 1_000 }).cpuMs, 1_000);
  t.equal(withDefaults().cpuMs, limits.cpuMsDefault);
});

t.test('a type without workers is refused, named or guessed', async (t) => {
  t.match(take({ code: 'x', type: 'ruby' }), { code: 'UNKNOWN_TYPE', field: 'type' });
  t.match(take({ code: '#!/bin/bash\n' }), { code: 'NO_ROUTE', field: 'type' });
});

t.test('args and env that no process could be handed are refused, with the cure', async (t) => {
  const args = Array.from({ length: 20 }, () => 'ü'.repeat(30_000));
  t.match(take({ code: '', type: 'python', args }), {
    code: 'INVALID_FIELD',
    message: /`args` and `env` take 1200020 bytes together.*use `stdin`/,
  });
  t.equal(take({ code: '', type: 'python', args: args.slice(10) }).bytes, 600_010);
});

t.test('code is measured in bytes, not in characters', async (t) => {
  const code = '€'.repeat(limits.codeBytesMax / 2);
  t.match(take({ code, type: 'python' }), { code: 'INVALID_FIELD', field: 'code' });
  t.equal(take({ code: 'é'.repeat(limits.codeBytesMax / 2), type: 'python' }).code, undefined);
});
