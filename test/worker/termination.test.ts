import t from 'tap';
import { Termination } from '../../src/worker/termination.js';

function recorded() {
  const signals: [number, number][] = [];
  const termination = new Termination((pid, signal) => signals.push([pid, signal]) > 0);
  return { signals, termination };
}

t.test('the first cause wins, and each further one kills again', async (t) => {
  const { signals, termination } = recorded();
  termination.attach(42);
  t.strictSame(signals, []);
  termination.end({ kind: 'wallLimit' });
  termination.end({ kind: 'cancelled', by: 'caller' });
  t.strictSame(termination.cause, { kind: 'wallLimit' });
  t.strictSame(signals, [
    [42, 9],
    [42, 9],
  ]);
});

t.test('a cause that comes before the process kills it as soon as it is there', async (t) => {
  const { signals, termination } = recorded();
  termination.end({ kind: 'cancelled', by: 'caller' });
  t.strictSame(signals, []);
  termination.attach(42);
  t.strictSame(signals, [[42, 9]]);
});

t.test(
  'detaching kills what is left of the group once, and nothing is signalled afterwards',
  async (t) => {
    const { signals, termination } = recorded();
    termination.attach(42);
    termination.detach();
    t.strictSame(signals, [[42, 9]]);
    termination.end({ kind: 'wallLimit' });
    t.strictSame(signals, [[42, 9]]);
    t.strictSame(termination.cause, { kind: 'wallLimit' });
  },
);

t.test('the cause stands before the signal is sent', async (t) => {
  const causes: unknown[] = [];
  const termination: Termination = new Termination(() => causes.push(termination.cause?.kind) > 0);
  termination.attach(42);
  termination.end({ kind: 'wallLimit' });
  t.strictSame(causes, ['wallLimit']);
});

t.test('the groups of nobody, of everybody and of init are never killed', async (t) => {
  for (const pid of [0, 1, -1]) {
    const { signals, termination } = recorded();
    t.throws(() => termination.attach(pid), { name: 'InvariantError' });
    termination.end({ kind: 'wallLimit' });
    t.strictSame(signals, []);
  }
});
