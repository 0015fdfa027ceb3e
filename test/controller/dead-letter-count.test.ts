import t from 'tap';
import { DeadLetterCount } from '../../src/controller/dead-letter-count.js';
import { controllerLimits } from '../../src/controller/limits.js';
import { ScriptdError } from '../../src/errors.js';
import { createLog } from '../../src/log.js';

const { deadLettersCountedMax, deadLettersCountedMs } = controllerLimits;

t.test(
  'dead letters are counted up to a number, and no more often than now and then',
  async (t) => {
    let found = 3;
    let nowMs = 0;
    const asked: number[] = [];
    const store = {
      countDeadLetters: async (most: number) => {
        asked.push(most);
        if (found < 0) throw new ScriptdError('STORE_CORRUPT', 'it is broken');
        return Math.min(most, found);
      },
    };
    const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
    const count = new DeadLetterCount(store, clock, createLog('test', 'silent'));
    t.same(await Promise.all([count.read(), count.read()]), [
      { deadLetters: 3 },
      { deadLetters: 3 },
    ]);
    found = deadLettersCountedMax;
    nowMs = deadLettersCountedMs - 1;
    t.same(await count.read(), { deadLetters: 3 });
    t.equal(asked.length, 1);
    nowMs = deadLettersCountedMs;
    t.same(await count.read(), { deadLetters: deadLettersCountedMax });
    found = deadLettersCountedMax + 7;
    nowMs *= 2;
    t.same(await count.read(), { deadLetters: deadLettersCountedMax, deadLettersMore: true });
    found = -1;
    nowMs *= 2;
    t.same(await count.read(), {}, 'a store that cannot say keeps back nothing else');
    t.same(asked, Array(4).fill(deadLettersCountedMax + 1));
  },
);
