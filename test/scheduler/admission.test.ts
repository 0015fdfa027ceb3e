import t from 'tap';
import { Admission, retryAfterMsMax, retryAfterMsMin } from '../../src/scheduler/admission.js';

const limits = { all: { tasks: 100, bytes: 1_000 }, perGroup: { tasks: 60, bytes: 900 } };

t.test('as much comes in as fits, in all and per group, in tasks and in bytes', async (t) => {
  const admission = new Admission(limits);
  admission.add({ tasks: 60, bytes: 500, group: 'a' });
  const refused = (tasks: number, bytes: number, group: string) =>
    admission.admit({ tasks, bytes, group }, 0);
  t.match(refused(1, 0, 'a'), { scope: 'group', what: 'tasks', limit: 60 });
  t.equal(refused(40, 500, 'b'), undefined);
  t.match(refused(41, 0, 'b'), { scope: 'all', what: 'tasks', limit: 100 });
  t.match(refused(1, 501, 'b'), { scope: 'all', what: 'bytes', limit: 1_000 });
  admission.remove({ tasks: 1, bytes: 10, group: 'a' }, 0);
  t.equal(refused(1, 0, 'a'), undefined);
});

t.test('the time to wait follows the pace at which tasks were finished', async (t) => {
  const admission = new Admission(limits);
  admission.add({ tasks: 200, bytes: 0 });
  const ask = (nowMs: number) => admission.admit({ tasks: 20, bytes: 0, group: 'b' }, nowMs);
  t.equal(ask(0)?.retryAfterMs, retryAfterMsMax, 'nothing was finished yet');
  // 10 a second.
  for (let ms = 100; ms <= 8_000; ms += 100) admission.remove({ tasks: 1, bytes: 0 }, ms);
  const waitMs = ask(8_000)?.retryAfterMs ?? 0;
  t.ok(waitMs > 3_500 && waitMs < 4_500, `40 too many: ${waitMs} ms`);
  t.equal(ask(60_000)?.retryAfterMs, retryAfterMsMax, 'long ago does not count');
  admission.remove({ tasks: 39, bytes: 0 }, 60_000);
  t.equal(ask(60_000)?.retryAfterMs, retryAfterMsMin);
});
