import fc from 'fast-check';
import t from 'tap';
import { encodeFrame } from '../../src/wire/codec.js';
import { FrameDecoder } from '../../src/wire/frame.js';
import { samples } from './samples.js';

const stream = Buffer.concat(samples.map(encodeFrame));
const payloads = samples.map((message) => encodeFrame(message).subarray(4).toString('hex'));

/** The payloads that come out when the stream is pushed in these pieces. */
function decode(pieces: Iterable<Buffer>, frameBytesMax = 1 << 24): string[] {
  const decoder = new FrameDecoder(frameBytesMax);
  const found: string[] = [];
  for (const piece of pieces) {
    decoder.push(piece, (payload) => {
      found.push(payload.toString('hex'));
      return true;
    });
  }
  return found;
}

function* split(bytes: Buffer, at: readonly number[]): Generator<Buffer> {
  let from = 0;
  for (const to of [...at, bytes.length]) {
    // A copy: the reader's buffer is overwritten after each push.
    const piece = Buffer.from(bytes.subarray(from, to));
    yield piece;
    piece.fill(0xee);
    from = to;
  }
}

t.test('frames come out whole wherever the stream is split', async (t) => {
  const small = Buffer.concat(
    [samples[0], samples[3], samples[0]].map((m) => encodeFrame(m as never)),
  );
  const whole = decode([Buffer.from(small)]);
  t.equal(whole.length, 3);
  for (let at = 0; at <= small.length; at++) t.same(decode(split(small, [at])), whole);
});

t.test('frames come out whole when each byte comes alone', async (t) => {
  const each = Array.from(stream.keys()).slice(1);
  t.same(decode(split(stream, each)), payloads);
});

t.test('frames come out whole under any splitting', async () => {
  const cuts = fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 12 });
  fc.assert(
    fc.property(cuts, (drawn) => {
      const at = [...drawn].sort((a, b) => a - b);
      return decode(split(stream, at)).join() === payloads.join();
    }),
  );
});

t.test('a length over the cap is refused before anything is kept of it', async (t) => {
  for (const size of [0xffff_ffff, 101]) {
    const decoder = new FrameDecoder(100);
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32BE(size);
    for (const pieces of [[prefix], [prefix.subarray(0, 3), prefix.subarray(3)]]) {
      const fresh = new FrameDecoder(100);
      t.throws(
        () => {
          for (const piece of pieces) fresh.push(piece, () => true);
        },
        { code: 'FRAME_TOO_LARGE', message: /at most 100/ },
      );
    }
    t.equal(decoder.heldBytes, 0);
  }
});

t.test('a length that is announced and does not come costs no memory', async (t) => {
  const decoder = new FrameDecoder(1 << 24);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(1 << 24);
  decoder.push(Buffer.concat([prefix, Buffer.alloc(10)]), () => true);
  t.equal(decoder.heldBytes, 14);
  t.ok(decoder.capacityBytes < 100, `${decoder.capacityBytes} bytes are reserved`);
});

t.test('an empty frame is refused', async (t) => {
  const decoder = new FrameDecoder(100);
  t.throws(() => decoder.push(Buffer.alloc(4), () => true), { code: 'FRAME_EMPTY' });
});

t.test('whoever is told a frame can stop there', async (t) => {
  const decoder = new FrameDecoder(1 << 24);
  let count = 0;
  decoder.push(Buffer.from(stream), () => {
    count++;
    return false;
  });
  t.equal(count, 1);
  t.equal(decoder.heldBytes, 0);
});
