import fc from 'fast-check';
import { pack } from 'msgpackr';
import t from 'tap';
import { limits } from '../../src/limits.js';
import { decodePayload, encodeFrame } from '../../src/wire/codec.js';
import { structureFault } from '../../src/wire/scan.js';
import { samples } from './samples.js';

const depthMax = limits.frameDepthMax;
const payloadOf = (message: (typeof samples)[number]) => encodeFrame(message).subarray(4);

/** Nothing but one of our errors, or a valid message, may come of any bytes. */
function survives(bytes: Buffer): boolean {
  try {
    decodePayload(bytes);
    return true;
  } catch (error) {
    return ['FRAME_MALFORMED', 'MESSAGE_INVALID'].includes((error as { code?: string }).code ?? '');
  }
}

t.test('what is encoded comes back the same', async (t) => {
  for (const message of samples) t.same(decodePayload(payloadOf(message)), message);
});

t.test('a decoded message does not share memory with its frame', async (t) => {
  const payload = Buffer.from(payloadOf(samples[2] as never));
  const message = decodePayload(payload);
  const before = JSON.stringify(message);
  payload.fill(0x41);
  t.equal(JSON.stringify(message), before);
});

t.test('every truncated frame is refused', async (t) => {
  const payload = payloadOf(samples[1] as never);
  for (let length = 0; length < payload.length; length++) {
    const piece = payload.subarray(0, length);
    if (structureFault(piece, depthMax) === undefined) t.fail(`${length} bytes were accepted`);
  }
  t.equal(structureFault(payload, depthMax), undefined);
});

t.test('flipped bits never do more than close a connection', async (t) => {
  for (const message of [samples[0], samples[1], samples[3]]) {
    const payload = payloadOf(message as never).subarray(0, 300);
    const whole = payloadOf(message as never);
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const flipped = Buffer.from(whole);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!survives(flipped)) t.fail(`bit ${bit} of ${message?.kind}`);
    }
  }
  t.pass('all were decoded or refused');
});

t.test('random bytes never do more than close a connection', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => survives(Buffer.from(bytes))),
    { numRuns: 5_000 },
  );
});

t.test(
  'random values in the shape of a message are refused by field, not decoded on trust',
  async () => {
    const value = fc.dictionary(fc.string({ maxLength: 12 }), fc.anything({ maxDepth: 3 }));
    const kinds = fc.constantFrom(...samples.map(({ kind }) => kind));
    fc.assert(
      fc.property(kinds, value, (kind, fields) => {
        const encoded = pack({ ...fields, kind });
        return survives(Buffer.from(encoded));
      }),
      { numRuns: 2_000 },
    );
  },
);

t.test('huge lengths are refused before anything is reserved for them', async (t) => {
  for (const bytes of [
    [0xdd, 0xff, 0xff, 0xff, 0xff], // array of 4 G
    [0xdd, 0x01, 0x00, 0x00, 0x00, 0xc0],
    [0xdf, 0xff, 0xff, 0xff, 0xff], // map of 4 G
    [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61], // string of 4 G
    [0xc6, 0xff, 0xff, 0xff, 0xff], // bytes of 4 G
  ]) {
    t.match(structureFault(Buffer.from(bytes), depthMax), /a length is larger than what follows/);
  }
});

t.test('deep nesting is refused', async (t) => {
  const nested = (depth: number) => Buffer.from([...Array(depth).fill(0x91), 0xc0]);
  t.equal(structureFault(nested(depthMax), depthMax), undefined);
  t.match(structureFault(nested(depthMax + 1), depthMax), /nested deeper/);
  t.match(
    structureFault(Buffer.concat([Buffer.alloc(1 << 20, 0x91), nested(0)]), depthMax),
    /nested/,
  );
});

t.test('types outside the specification are refused', async (t) => {
  for (const type of [0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8]) {
    const bytes = Buffer.concat([Buffer.from([type]), Buffer.alloc(40)]);
    t.match(structureFault(bytes, depthMax), /not of an allowed type/, type.toString(16));
  }
});

t.test('an integer that no number holds exactly is refused, any other is a number', async (t) => {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  for (const integer of [most + 1n, 2n ** 63n - 1n, 2n ** 64n - 1n, -most - 2n, -(2n ** 63n)]) {
    for (const value of [integer, [integer], { a: { b: integer } }]) {
      t.match(structureFault(pack(value), depthMax), /an integer is larger/, String(integer));
    }
  }
  for (const integer of [0n, 1n, -1n, 2n ** 32n, most, -(2n ** 32n), -most, -most - 1n]) {
    t.equal(structureFault(pack(integer), depthMax), undefined, String(integer));
  }
  t.strictSame(decodePayload(pack({ kind: 'ping', sequence: most })), {
    kind: 'ping',
    sequence: Number.MAX_SAFE_INTEGER,
  });
});

t.test('no decoded message holds a bigint, whatever integers came', async () => {
  const holds = (value: unknown): boolean =>
    typeof value === 'bigint' ||
    (typeof value === 'object' && value !== null && Object.values(value).some(holds));
  const integer = fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n);
  const small = fc.bigInt(-(2n ** 54n), 2n ** 54n);
  const value = fc.oneof(fc.anything({ maxDepth: 3 }), integer, small, fc.array(small));
  const schema = fc.dictionary(fc.string({ maxLength: 8 }), value);
  let decoded = 0;
  fc.assert(
    fc.property(schema, (schema) => {
      const task = { code: '', check: { schema } };
      try {
        const message = decodePayload(
          Buffer.from(pack({ kind: 'submit', requestId: 1n, reply: 'stored', task })),
        );
        decoded++;
        return !holds(message);
      } catch (error) {
        return (error as { code?: string }).code === 'FRAME_MALFORMED';
      }
    }),
    { numRuns: 2_000 },
  );
  if (decoded < 100) throw new Error(`only ${decoded} were decoded`);
});

t.test('a frame of more maps and arrays than any message has is refused', async (t) => {
  const most = limits.frameContainersMax;
  const arrayOf = (count: number, byte: number) => {
    const bytes = Buffer.alloc(5 + count, byte);
    bytes[0] = 0xdd;
    bytes.writeUInt32BE(count, 1);
    return bytes;
  };
  for (const byte of [0x80, 0x90]) {
    t.equal(structureFault(arrayOf(most - 1, byte), depthMax, most), undefined);
    t.throws(() => decodePayload(arrayOf(most, byte)), {
      code: 'FRAME_MALFORMED',
      message: /more than 400000 maps and arrays/,
    });
  }
  t.throws(() => decodePayload(arrayOf(most, 0xc0)), { code: 'MESSAGE_INVALID' });
  const keys = Array(65_536).fill({ taskId: '01890a5d-ac96-774b-bcce-b302099a8057', attempt: 1 });
  const inventory = {
    kind: 'inventory' as const,
    ...{ type: 'noop', slots: 1, prefetch: 0, pid: 1 },
    ...{ isolation: { level: 'none' as const, layers: [] } },
    ...{ running: keys, unacknowledged: keys },
  };
  t.equal(decodePayload(payloadOf(inventory)).kind, 'inventory', 'the largest');
});

t.test('bytes after the value are refused', async (t) => {
  t.match(structureFault(Buffer.from([0xc0, 0xc0]), depthMax), /bytes follow/);
});

t.test('a message that does not fit says which field', async (t) => {
  const refusal = (value: unknown) => {
    try {
      decodePayload(Buffer.from(pack(value)));
    } catch (error) {
      return (error as Error).message;
    }
    return 'accepted';
  };
  t.match(refusal({ kind: 'ping' }), /`sequence` is missing/);
  t.match(refusal({ kind: 'ping', sequence: -1 }), /`sequence` must be >= 0/);
  t.match(refusal({ kind: 'ping', sequence: 1, more: 1 }), /`more` is not known/);
  t.match(refusal({ kind: 'pong2' }), /`kind` is not of a known message: "pong2"/);
  t.match(refusal({ kind: 7 }), /`kind` is not of a known message: number$/);
  t.match(refusal({ kind: [{ a: 1 }] }), /`kind` is not of a known message: object$/);
  t.match(refusal({ kind: 'ping', sequence: 0.5 }), /`sequence` must be integer/);
  t.match(refusal([1]), /must be a map/);
  t.match(refusal({ kind: 'toString' }), /not of a known message/);
  t.match(refusal({ ...samples[3], results: [{ taskId: 'x', attempt: 1 }] }), /results\.0\.taskId/);
});
