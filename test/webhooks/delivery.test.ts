import t from 'tap';
import { newDelivery } from '../../src/webhook.js';
import { attempted, dueAgain, isDue } from '../../src/webhooks/delivery.js';
import { webhookLimits } from '../../src/webhooks/limits.js';

const failed = { at: 0, durationMs: 5, status: 500, error: 'no' };
const most = () => 1 - Number.EPSILON;

t.test('an attempt that fails is followed by others, ever further apart, and then none', (t) => {
  let delivery = newDelivery(1_000);
  let now = 1_000;
  const waits: number[] = [];
  while (delivery.state === 'due') {
    delivery = attempted(delivery, failed, now, () => 0.5);
    if (delivery.nextAttemptAt === undefined) break;
    waits.push(delivery.nextAttemptAt - now);
    now = delivery.nextAttemptAt;
  }
  t.same(waits.slice(0, 4), [5_000, 10_000, 20_000, 40_000]);
  t.ok(Math.max(...waits) <= webhookLimits.backoffCapMs / 2);
  t.match(delivery, { state: 'failed', tries: 16, reason: /after 16 attempts/ });
  t.equal(delivery.attempts.length, 16);
  t.equal(attempted(newDelivery(0), failed, 0, () => 0).nextAttemptAt, 0, 'full jitter');
  t.end();
});

t.test('a delivery is given up when it is too old', (t) => {
  const { ageMsMax } = webhookLimits;
  t.match(attempted(newDelivery(0), failed, ageMsMax, most), {
    state: 'failed',
    reason: /after 24 hours/,
  });
  t.end();
});

t.test('the receiver may say when, that it wants no more, or that it has it', (t) => {
  const due = newDelivery(0);
  const later = attempted(due, { ...failed, retryAfterMs: 60_000 }, 0, () => 0);
  t.equal(later.nextAttemptAt, 60_000);
  const gone = attempted(due, { ...failed, status: 410, final: true }, 0, () => 0);
  t.match(gone, { state: 'failed', reason: 'no' });
  t.notOk('nextAttemptAt' in gone);
  const delivered = attempted(later, { at: 7, durationMs: 1.6, status: 200 }, 0, most);
  t.match(delivered, { state: 'delivered', tries: 2 });
  t.same(delivered.attempts.at(-1), { at: 7, durationMs: 2, status: 200 });
  t.notOk('nextAttemptAt' in delivered);
  const again = dueAgain(gone, 99);
  t.match(again, { state: 'due', tries: 0, since: 99, nextAttemptAt: 99 });
  t.notOk('reason' in again);
  t.equal(again.attempts.length, 1, 'what was is kept');
  t.end();
});

t.test('it is due at its time, and when no wait leads to its time', (t) => {
  const due = { ...newDelivery(0), nextAttemptAt: 1_000 };
  t.notOk(isDue(due, 999));
  t.ok(isDue(due, 1_000));
  const { retryAfterMsMax, aheadMsMax } = webhookLimits;
  const asked = attempted(due, { ...failed, retryAfterMs: retryAfterMsMax }, 1_000, most);
  t.notOk(isDue(asked, 1_000), 'it was asked to wait so long');
  t.notOk(isDue(asked, 1_000 - 60_000), 'and the clock was set back a little');
  t.ok(isDue({ ...due, nextAttemptAt: 1_001 + aheadMsMax }, 1_000), 'the clock was ahead');
  const { nextAttemptAt: _, ...told } = due;
  t.notOk(isDue({ ...told, state: 'delivered' }, 1e15));
  t.end();
});
