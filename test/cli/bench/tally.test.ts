import t from 'tap';
import { benchLimits } from '../../../src/cli/bench/limits.js';
import { Tally } from '../../../src/cli/bench/tally.js';
import { type FinishedTask, ServiceError } from '../../../src/client/index.js';
import { ScriptdError } from '../../../src/errors.js';
import { task } from '../../client/scripted.js';

const finished = (more: object) => task({ state: 'finished', ...more }) as unknown as FinishedTask;

t.test('the time of a task is parted into its timeline and what is around it', async (t) => {
  const tally = new Tally();
  const timeline = { queuedMs: 1, dispatchMs: 2, startMs: 3, runMs: 4, drainMs: 0, checkMs: 0 };
  const times = { dueMs: 100, sentMs: 105, endedMs: 120 };
  tally.ended(finished({ outcome: 'success', timeline }), times);
  const found = [...tally.phases].map(([phase, { maxMs }]) => [phase, maxMs]);
  t.same(Object.fromEntries(found), {
    ...{ late: 5, queued: 1, dispatch: 2, start: 3, run: 4, drain: 0, check: 0, around: 5 },
  });
  t.equal(tally.latency.maxMs, 20);
});

t.test('ends that are alike are counted together, with what was said of the first', async (t) => {
  const tally = new Tally();
  const times = { dueMs: 0, sentMs: 0, endedMs: 1 };
  for (const reason of ['one', 'two'])
    tally.ended(finished({ outcome: 'runtime_error', code: 'EXCEPTION', reason }), times);
  tally.ended(finished({ outcome: 'cancelled', code: 'CANCELLED' }), times);
  tally.notEnded(new ServiceError({ status: 422, code: 'UNKNOWN_TYPE', detail: 'no' }), 3);
  tally.notEnded(new ScriptdError('SERVICE_UNREACHABLE', 'gone'), 1);
  t.match(
    [...tally.ends.values()],
    [
      { outcome: 'runtime_error', code: 'EXCEPTION', reason: 'one', tasks: 2 },
      { outcome: 'cancelled', tasks: 1 },
      { outcome: 'refused', code: 'UNKNOWN_TYPE', tasks: 3 },
      { outcome: 'unanswered', code: 'SERVICE_UNREACHABLE', tasks: 1 },
    ],
  );
  t.match(tally, { tasks: 7, succeeded: 0 });
  t.equal(tally.latency.count, 2, 'without the cancelled one, and those that did not end');
});

t.test('a service that makes up codes takes no more memory', async (t) => {
  const tally = new Tally();
  for (let at = 0; at < 1_000; at++) {
    const error = new ServiceError({ status: 429, code: `CODE_${at}`, detail: 'x' });
    tally.notEnded(error, 1);
    tally.retried(error, at);
  }
  t.ok(tally.ends.size <= benchLimits.endsMax + 1);
  t.ok(tally.retries.size <= benchLimits.endsMax + 1);
  const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);
  t.equal(sum([...tally.ends.values()].map(({ tasks }) => tasks)), 1_000);
  t.equal(sum(tally.retries.values()), 1_000);
  t.equal(tally.retryWaitMsMax, 999);
});
