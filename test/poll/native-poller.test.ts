import t from 'tap';
import { epollAddon, ROW } from '../../src/poll/native-poller.js';
import { loopTurns } from './rig.js';

const { Poller } = epollAddon;
type Method = (...args: unknown[]) => unknown;

function make(t: Tap): InstanceType<typeof Poller> {
  const poller = new Poller(4, 4096, 4096, () => undefined);
  t.teardown(() => poller.close());
  return poller;
}
type Tap = { teardown(end: () => void): void };

const methods = Object.getOwnPropertyNames(Poller.prototype).filter(
  (name) => name !== 'constructor',
) as (keyof InstanceType<typeof Poller>)[];

t.test(
  'the constructor refuses wrong sizes, a missing callback and a call without new',
  async (t) => {
    const Any = Poller as unknown as new (...args: unknown[]) => unknown;
    const callback = (): void => undefined;
    t.throws(() => new Any(), TypeError);
    t.throws(() => new Any(0, 4096, 4096, callback), TypeError);
    t.throws(() => new Any(4, -1, 4096, callback), TypeError);
    t.throws(() => new Any(4, 4096, 2 ** 40, callback), TypeError);
    t.throws(() => new Any('4', 4096, 4096, callback), TypeError);
    t.throws(() => new Any(4, 4096, 4096, {}), TypeError);
    t.throws(() => (Poller as unknown as Method)(4, 4096, 4096, callback), TypeError);
  },
);

t.test('every method refuses a wrong this', async (t) => {
  const poller = make(t);
  t.ok(methods.length > 20, 'the methods are found');
  for (const name of methods) {
    const method = poller[name] as unknown as Method;
    for (const self of [undefined, null, 7, {}, [], Object.create(poller), Poller, epollAddon]) {
      t.throws(() => method.call(self, 1, 2, 3), TypeError, `${name} on ${typeof self}`);
    }
  }
});

t.test('every method with arguments refuses wrong types', async (t) => {
  const poller = make(t);
  const without: (keyof typeof poller)[] = ['openTimer', 'counters', 'close'];
  const wrong = [undefined, null, 'x', {}, [], Symbol('s'), () => 1, Number.NaN, -1, 1e300, 1n];
  for (const name of methods.filter((name) => !without.includes(name))) {
    const method = poller[name] as unknown as Method;
    for (const value of wrong) {
      let result: unknown;
      try {
        result = method.call(poller, value, value, value);
      } catch (error) {
        result = error;
      }
      // A string is right where a path is wanted; then the rest is wrong.
      t.ok(result instanceof Error || result === -9, `${name}(${String(value)})`);
    }
  }
  t.equal(poller.counters().openHandles, 0);
});

t.test('a token of nothing is EBADF everywhere, and removing it does nothing', async (t) => {
  const poller = make(t);
  for (const token of [0, 7, 2 ** 32, 2 ** 53 - 1]) {
    t.equal(poller.accept(token), -9);
    t.equal(poller.armTimer(token, 1), -9);
    t.equal(poller.disarmTimer(token), -9);
    t.equal(poller.setInterest(token, true, false), -9);
    t.equal(poller.read(token, new Uint8Array(1)), -9);
    t.equal(poller.write(token, [new Uint8Array(1)]), -9);
    t.equal(poller.shutdownWrite(token), -9);
    t.equal(poller.takeError(token), -9);
    t.equal(poller.localPort(token), -9);
    t.equal(poller.setNoDelay(token, true), -9);
    t.equal(poller.setUserTimeout(token, 1), -9);
    t.equal(poller.setKeepAlive(token, 1, 1, 1), -9);
    t.throws(() => poller.peerCredentials(token), /Bad file descriptor/);
    poller.remove(token);
  }
});

t.test('write rows that point outside the buffer or nowhere are refused one by one', async (t) => {
  const poller = make(t);
  const [readEnd, writeEnd] = epollAddon.openPipe();
  const { token } = poller.adopt(writeEnd);
  poller.adopt(readEnd);
  const slot = token >>> 0;
  const generation = (token - slot) / 2 ** 32;
  const rows = new Int32Array(poller.writeRows);
  rows.set([
    slot,
    generation,
    4000,
    97,
    0,
    slot,
    generation,
    -1,
    1,
    0,
    9,
    9,
    0,
    1,
    0,
    slot,
    generation,
    4095,
    1,
    0,
  ]);
  poller.flush(4);
  t.same([rows[4], rows[9], rows[14], rows[19]], [-22, -22, -9, 1]);
  poller.flush(2 ** 32 - 1); // no more than there are
});

t.test('after close every method says so, and close() may be repeated', async (t) => {
  const poller = make(t);
  poller.openTimer();
  poller.close();
  poller.close();
  for (const name of methods.filter((name) => name !== 'close')) {
    t.throws(() => (poller[name] as unknown as Method)(1, 2, 3), /the poller is closed/, name);
  }
});

t.test(
  'its memory outlives it: buffers may be used after close, and detached before',
  async (t) => {
    const poller = make(t);
    const { readBuffer, eventRows } = poller;
    poller.close();
    await loopTurns(2);
    t.equal(new Uint8Array(readBuffer).fill(1).length, 4096);
    t.equal(new Int32Array(eventRows).fill(1).length, 4 * ROW.width);

    const other = make(t);
    detach(other.readBuffer);
    t.equal(other.readBuffer.byteLength, 'transfer' in ArrayBuffer.prototype ? 0 : 4096);
    const [readEnd, writeEnd] = epollAddon.openPipe();
    other.adopt(readEnd);
    const { token } = other.adopt(writeEnd);
    t.equal(other.write(token, [new Uint8Array(10)]), 10);
    while (other.counters().readBytes < 10) await loopTurns(1);
  },
);

t.test('generations: a slot that is used again has another token', async (t) => {
  const poller = make(t);
  const tokens = new Set<number>();
  for (let index = 0; index < 100; index++) {
    const token = poller.openTimer();
    t.equal(token >>> 0, 0);
    tokens.add(token);
    poller.remove(token);
    t.equal(poller.armTimer(token, 1), -9);
  }
  t.equal(tokens.size, 100);
});

/** There is no way before Node 22: structuredClone copies such a buffer, later it refuses to. */
function detach(buffer: ArrayBuffer & { transfer?: () => ArrayBuffer }): void {
  buffer.transfer?.();
}
