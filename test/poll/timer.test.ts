import t from 'tap';
import type { Timer } from '../../src/poll/timer.js';
import { loopTurns, makePoller, Pipe, Recorder, until } from './rig.js';

t.test('a timer goes off once each time that it is set', async (t) => {
  const poller = makePoller(t);
  let expiries = 0;
  const timer = poller.timer(() => expiries++);
  t.equal(timer.armed, false);
  timer.setAfter(0.5);
  t.equal(timer.armed, true);
  await until(() => expiries === 1);
  t.equal(timer.armed, false);
  await loopTurns(5);
  t.equal(expiries, 1);
  timer.setAfter(0);
  await until(() => expiries === 2);
});

t.test('timers go off in the order of their times, also when set anew', async (t) => {
  const poller = makePoller(t);
  const order: string[] = [];
  const [late, early, moved] = ['late', 'early', 'moved'].map((name) =>
    poller.timer(() => order.push(name)),
  ) as [Timer, Timer, Timer];
  moved.setAfter(60_000);
  late.setAfter(2_000);
  early.setAfter(1);
  moved.setAfter(1_000);
  await until(() => order.length === 3);
  t.same(order, ['early', 'moved', 'late']);
});

t.test('a timer may be set, cleared and closed in its own callback', async (t) => {
  const poller = makePoller(t);
  let expiries = 0;
  const timer = poller.timer(() => {
    expiries++;
    if (expiries === 1) timer.setAfter(1);
    if (expiries === 2) {
      timer.setAfter(0);
      timer.clear();
      timer.clear();
      setImmediate(() => timer.setAfter(1));
    }
    if (expiries === 3) timer.close();
  });
  timer.setAfter(1);
  await until(() => timer.closed);
  t.equal(expiries, 3);
});

for (const [what, change] of Object.entries({
  cleared: (timer: Timer) => timer.clear(),
  'set anew': (timer: Timer) => timer.setAfter(60_000),
  closed: (timer: Timer) => timer.close(),
})) {
  t.test(`a timer ${what} in the batch that brings its expiry does not go off`, async (t) => {
    const poller = makePoller(t);
    const pipe = new Pipe();
    let expired = false;
    const timer = poller.timer(() => {
      expired = true;
    });
    const changer = new Recorder({ onData: () => change(timer) });
    poller.adopt(pipe.readEnd, changer.handlers);
    pipe.write('x');
    timer.setAfter(0);
    const end = process.hrtime.bigint() + 20_000_000n;
    while (process.hrtime.bigint() < end); // both are ready when the loop goes on
    await until(() => changer.text === 'x');
    await loopTurns(5);
    t.equal(expired, false);
    t.match(poller.stats(), { batches: 1, events: 2 });
  });
}

t.test('a closed timer can be cleared and closed, not set', async (t) => {
  const timer = makePoller(t).timer(() => undefined);
  timer.close();
  timer.close();
  timer.clear();
  t.throws(() => timer.setAfter(1), { code: 'CLOSED' });
});

t.test('what is no duration is refused', async (t) => {
  const timer = makePoller(t).timer(() => undefined);
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.throws(() => timer.setAfter(ms), RangeError);
  }
  t.equal(timer.armed, false);
});
