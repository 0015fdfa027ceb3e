import fc from 'fast-check';
import t from 'tap';
import { GatheredBytes } from '../../src/http/gathered-bytes.js';
import { LineSplitter } from '../../src/http/line-splitter.js';

/** All lines of a text that comes in pieces of these sizes, as text; null for one that is too long. */
function split(text: string, sizes: readonly number[], bytesMax: number) {
  const bytes = Buffer.from(text);
  const splitter = new LineSplitter(bytesMax);
  const lines: [number, string | null][] = [];
  let heldMost = 0;
  let start = 0;
  for (const size of [...sizes, bytes.length]) {
    for (const line of splitter.feed(bytes.subarray(start, start + size))) {
      lines.push([line.number, line.bytes?.toString() ?? null]);
    }
    heldMost = Math.max(heldMost, splitter.heldBytes);
    start += size;
  }
  for (const line of splitter.end()) lines.push([line.number, line.bytes?.toString() ?? null]);
  return { lines, heldMost };
}

t.test('lines end with LF or CRLF, the last need not, and blank ones count only', async (t) => {
  const { lines } = split('a\r\n\n \t\r\nb c\n\r\n{"d"}', [], 100);
  t.same(lines, [
    [1, 'a'],
    [4, 'b c'],
    [6, '{"d"}'],
  ]);
  t.same(split('', [], 100).lines, []);
  t.same(split('\n\n', [], 100).lines, []);
  t.same(split('a\rb\n', [], 100).lines, [[1, 'a\rb']], 'a CR within a line is part of it');
});

t.test('a line that is too long is told by its number, and the next is whole', async (t) => {
  const { lines, heldMost } = split(`${'x'.repeat(50)}\nok\n${'y'.repeat(11)}`, [7, 7, 7, 30], 10);
  t.same(lines, [
    [1, null],
    [2, 'ok'],
    [3, null],
  ]);
  t.ok(heldMost <= 10, 'nothing of it is kept');
});

t.test('where the pieces are cut makes no difference', async () => {
  const part = fc.constantFrom('\n', '\r\n', ' ', 'a', 'é', 'xyzxyz', '\r');
  const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));
  const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 });
  fc.assert(
    fc.property(text, sizes, fc.integer({ min: 1, max: 12 }), (text, sizes, bytesMax) => {
      const whole = split(text, [], bytesMax);
      const cut = split(text, sizes, bytesMax);
      return JSON.stringify(cut.lines) === JSON.stringify(whole.lines) && cut.heldMost <= bytesMax;
    }),
    { numRuns: 1_000 },
  );
});

t.test('bytes are gathered in order, whatever the pieces', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 30 });
  fc.assert(
    fc.property(pieces, (pieces) => {
      const gathered = new GatheredBytes();
      for (const piece of pieces) gathered.add(piece);
      const whole = Buffer.concat(pieces);
      const isRight = gathered.length === whole.length && gathered.take().equals(whole);
      return isRight && gathered.length === 0 && gathered.take().length === 0;
    }),
  );
});
