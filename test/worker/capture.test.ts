import fc from 'fast-check';
import t from 'tap';
import { Capture } from '../../src/worker/capture.js';

const text = (capture: Capture) => capture.finish().bytes.toString();

function captured(headBytesMax: number, tailBytesMax: number, ...chunks: string[]): Capture {
  const capture = new Capture(headBytesMax, tailBytesMax);
  for (const chunk of chunks) capture.push(Buffer.from(chunk));
  return capture;
}

t.test('what fits into the head is kept whole, and is not truncated', async (t) => {
  const capture = captured(10, 4, '01234', '', '56789');
  t.equal(capture.exceeded, false);
  t.strictSame(capture.finish(), { bytes: Buffer.from('0123456789'), truncated: false });
});

t.test('one byte more exceeds it, and is still there', async (t) => {
  const capture = captured(10, 4, '01234', '56789x');
  t.equal(capture.exceeded, true);
  t.strictSame(capture.finish(), { bytes: Buffer.from('0123456789x'), truncated: true });
});

t.test('between head and tail a marker says how much was left out', async (t) => {
  t.equal(text(captured(4, 3, 'abcd', 'efgh', 'ijkl')), 'abcd\n[scriptd: 5 bytes left out]\njkl');
  t.equal(text(captured(4, 3, 'abcdefghijkl')), 'abcd\n[scriptd: 5 bytes left out]\njkl');
  t.equal(captured(4, 3, 'abcdefghijkl').seenBytes, 12);
});

t.test('a character that a cut would split is left out whole', async (t) => {
  const { bytes } = captured(5, 4, 'aé€🎉🎉x').finish();
  t.equal(bytes.toString(), 'aé\n[scriptd: 11 bytes left out]\nx');
  t.ok(Buffer.from(bytes.toString()).equals(bytes), 'the whole is UTF-8');
});

t.test('a chunk is copied: what its owner does to it later does not matter', async (t) => {
  const chunk = Buffer.from('abcdef');
  const capture = new Capture(3, 3);
  capture.push(chunk);
  chunk.fill('x');
  t.equal(text(capture), 'abcdef');
});

t.test(
  'any split into chunks gives the same, and never more than head, marker and tail',
  async (t) => {
    const property = fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.nat(40), { maxLength: 30 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (bytes, cuts, headBytesMax, tailBytesMax) => {
        const whole = new Capture(headBytesMax, tailBytesMax);
        whole.push(bytes);
        const split = new Capture(headBytesMax, tailBytesMax);
        let from = 0;
        for (const cut of cuts) {
          split.push(bytes.subarray(from, from + cut));
          from += cut;
        }
        split.push(bytes.subarray(from));
        const expected = whole.finish();
        if (!split.finish().bytes.equals(expected.bytes)) return false;
        if (expected.truncated !== bytes.length > headBytesMax) return false;
        if (bytes.length <= headBytesMax + tailBytesMax) return expected.bytes.equals(bytes);
        const [kept, ...rest] = expected.bytes
          .toString('latin1')
          .split(/\n\[scriptd: \d+ bytes left out\]\n/);
        const original = Buffer.from(bytes).toString('latin1');
        return (
          original.startsWith(kept ?? '?') &&
          original.endsWith(rest.join('')) &&
          expected.bytes.length <= headBytesMax + tailBytesMax + 40
        );
      },
    );
    t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }));
  },
);
