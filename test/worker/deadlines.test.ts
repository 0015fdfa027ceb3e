import fc from 'fast-check';
import t from 'tap';
import { Deadlines } from '../../src/worker/deadlines.js';

/** A clock and a timer that tests turn. */
class Clock {
  nowMs = 0;
  setAtMs: number | undefined;
  settings = 0;
  readonly deadlines: Deadlines;
  #onExpire: () => void = () => undefined;

  constructor() {
    this.deadlines = new Deadlines(
      (onExpire) => {
        this.#onExpire = onExpire;
        return {
          setAfter: (delayMs) => {
            this.settings++;
            this.setAtMs = this.nowMs + delayMs;
          },
          clear: () => {
            this.setAtMs = undefined;
          },
          close: () => {
            this.setAtMs = undefined;
          },
        };
      },
      () => this.nowMs,
    );
  }

  /** Goes off as often as the timer is due until then. */
  advanceTo(nowMs: number): void {
    while (this.setAtMs !== undefined && this.setAtMs <= nowMs) {
      this.nowMs = Math.max(this.nowMs, this.setAtMs);
      this.setAtMs = undefined;
      this.#onExpire();
    }
    this.nowMs = nowMs;
  }
}

t.test(
  'the timer is set to the earliest deadline, and to the next when that is cleared',
  async (t) => {
    const clock = new Clock();
    const { deadlines } = clock;
    deadlines.add(300, () => undefined);
    const first = deadlines.add(100, () => undefined);
    deadlines.add(200, () => undefined);
    t.equal(clock.setAtMs, 100);
    first.clear();
    t.equal(clock.setAtMs, 200);
    first.clear();
    t.equal(deadlines.size, 2);
  },
);

t.test('a later deadline does not touch the timer', async (t) => {
  const clock = new Clock();
  clock.deadlines.add(100, () => undefined);
  const { settings } = clock;
  clock.deadlines.add(200, () => undefined).clear();
  t.equal(clock.settings, settings);
});

t.test('none pending: the timer is cleared', async (t) => {
  const clock = new Clock();
  clock.deadlines.add(100, () => undefined).clear();
  t.equal(clock.setAtMs, undefined);
});

t.test('one that throws keeps none of the others from expiring', async (t) => {
  const clock = new Clock();
  const expired: number[] = [];
  clock.deadlines.add(10, () => {
    throw new Error('broken');
  });
  clock.deadlines.add(10, () => expired.push(10));
  clock.deadlines.add(20, () => expired.push(20));
  t.throws(() => clock.advanceTo(15), /broken/);
  clock.advanceTo(30);
  t.strictSame(expired, [10, 20]);
});

t.test('a deadline may clear and add others while it expires', async (t) => {
  const clock = new Clock();
  const expired: string[] = [];
  clock.deadlines.add(10, () => {
    second.clear();
    clock.deadlines.add(5, () => expired.push('past'));
    clock.deadlines.add(30, () => expired.push('later'));
  });
  const second = clock.deadlines.add(10, () => expired.push('cleared'));
  clock.advanceTo(20);
  t.strictSame(expired, ['past']);
  clock.advanceTo(40);
  t.strictSame(expired, ['past', 'later']);
});

t.test('after close nothing expires', async (t) => {
  const clock = new Clock();
  const deadline = clock.deadlines.add(10, () => t.fail('expired'));
  clock.deadlines.close();
  deadline.clear();
  clock.advanceTo(100);
  t.equal(clock.deadlines.size, 0);
});

t.test('each expires once, in the order of its time, unless it was cleared', async (t) => {
  const property = fc.property(
    fc.array(fc.tuple(fc.nat(100), fc.boolean()), { maxLength: 60 }),
    (plans) => {
      const clock = new Clock();
      const expired: number[] = [];
      const added = plans.map(([atMs, isCleared]) => ({
        isCleared,
        deadline: clock.deadlines.add(atMs, () => expired.push(atMs)),
      }));
      for (const { deadline, isCleared } of added) if (isCleared) deadline.clear();
      clock.advanceTo(1000);
      const expected = plans.filter(([, isCleared]) => !isCleared).map(([atMs]) => atMs);
      expected.sort((a, b) => a - b);
      return JSON.stringify(expired) === JSON.stringify(expected) && clock.deadlines.size === 0;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});
