import fc from 'fast-check';
import t from 'tap';
import { WriteQueue } from '../../src/poll/write-queue.js';

t.test('what was put in comes out, in order, however it is taken', async () => {
  const step = fc.oneof(
    fc.record({ push: fc.uint8Array({ minLength: 1, maxLength: 20 }) }),
    fc.record({ take: fc.nat(60) }),
    fc.record({ copy: fc.nat(60) }),
    fc.constant({ clear: true }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const queue = new WriteQueue();
      let expected: Buffer = Buffer.alloc(0);
      for (const one of steps) {
        if ('push' in one) {
          queue.push(one.push);
          expected = Buffer.concat([expected, one.push]);
        } else if ('take' in one) {
          const bytes = Math.min(one.take, queue.bytes);
          if (bytes > 0) queue.consume(bytes);
          expected = expected.subarray(bytes);
        } else if ('copy' in one) {
          const target = Buffer.alloc(60);
          const copied = queue.copyInto(target, 0, one.copy);
          if (!target.subarray(0, copied).equals(expected.subarray(0, copied))) return false;
        } else {
          queue.clear();
          expected = Buffer.alloc(0);
        }
        const front = queue.front(1_000);
        if (queue.bytes !== expected.length || queue.count !== front.length) return false;
        if (queue.frontBytes !== (front[0]?.length ?? 0)) return false;
        if (!Buffer.concat(front).equals(expected)) return false;
      }
      return true;
    }),
    { numRuns: 1_000, seed: 7 },
  );
});

t.test('only what lies in the memory named is copied out of it', async (t) => {
  const shared = Buffer.from(new Uint8Array(16).fill(1).buffer);
  const queue = new WriteQueue();
  queue.push(shared.subarray(0, 4));
  queue.push(shared.subarray(4, 8));
  queue.copyLastOutOf(shared.buffer);
  shared.fill(2);
  t.same(
    queue.front(2).map((chunk) => chunk[0]),
    [2, 1],
  );
  queue.copyOutOf(shared.buffer);
  shared.fill(3);
  t.same(
    queue.front(2).map((chunk) => chunk[0]),
    [2, 1],
  );
});

t.test('a queue of many small chunks is worked through in time', async (t) => {
  const queue = new WriteQueue();
  const chunk = new Uint8Array(2);
  // In the square of their number it would take minutes.
  for (let index = 0; index < 300_000; index++) {
    queue.push(chunk);
    queue.copyLastOutOf(chunk.buffer);
  }
  while (queue.bytes > 0) queue.consume(1);
  t.equal(queue.count, 0);
});
