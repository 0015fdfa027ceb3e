import { Packr, Unpackr } from 'msgpackr';
import { decodePayload, encodeFrame } from '../src/wire/codec.js';
import { FrameDecoder } from '../src/wire/frame.js';
import type { Message } from '../src/wire/messages.js';
import type { Bench } from './harness.js';
import { compare } from './row.js';

/** A typical task: 2 KB of code. */
const message: Message = {
  kind: 'execute',
  taskId: '01890a5d-ac96-774b-bcce-b302099a8057',
  attempt: 1,
  code: 'for line in text.splitlines():\n    print(line.strip())\n'.repeat(37),
  args: ['--verbose', 'input.txt'],
  env: { LANG: 'C.UTF-8' },
  limits: {
    wallMs: 30_000,
    cpuMs: 30_000,
    outputBytes: 4_194_304,
    diskBytes: 67_108_864,
    openFiles: 256,
    processes: 256,
  },
};

/**
 * One task frame encoded, cut out of the stream, its structure scanned, decoded and checked against
 * its schema; against msgpackr alone with the same options, which does none but encode and decode.
 */
export const frames: Bench = {
  name: 'frames',
  what: 'one task frame encoded, checked and decoded, against msgpackr alone',
  async run({ smoke }) {
    const count = smoke ? 1_000 : 200_000;
    const decoder = new FrameDecoder(1 << 24);
    const ours = () => {
      let seen = 0;
      const frame = encodeFrame(message);
      decoder.push(frame, (payload) => {
        if (decodePayload(payload).kind === 'execute') seen++;
        return true;
      });
      return seen;
    };
    const packr = new Packr({ useRecords: false, variableMapSize: true });
    const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true, copyBuffers: true });
    const bare = () => {
      const decoded = unpackr.unpack(packr.pack(message)) as Message;
      return decoded.kind === 'execute' ? 1 : 0;
    };
    const row = await compare({
      name: 'frames',
      unit: 'ns per frame',
      reference: 'bare msgpackr',
      bar: { atMost: 1.3 },
      rounds: smoke ? 1 : 9,
      measure: async () => nanosecondsEach(ours, count),
      measureReference: async () => nanosecondsEach(bare, count),
    });
    return [row];
  },
};

function nanosecondsEach(once: () => number, count: number): number {
  let seen = 0;
  const start = process.hrtime.bigint();
  for (let index = 0; index < count; index++) seen += once();
  const took = Number(process.hrtime.bigint() - start);
  if (seen !== count) throw new Error(`${count - seen} frames were lost`);
  return took / count;
}
