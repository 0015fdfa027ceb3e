import fc from 'fast-check';
import t from 'tap';
import { painter } from '../../src/cli/paint.js';
import { spanText } from '../../src/cli/span.js';
import { type Column, sorted, tableLines } from '../../src/cli/table.js';
import { columnsOf, fitted, visible, visibleLines } from '../../src/cli/visible.js';

t.test('nothing that a terminal obeys is left in a text', async (t) => {
  t.equal(visible('a\x1b[31mb'), 'a\\x1b[31mb');
  t.equal(visible('\x9b2J\x07\x7f'), '\\x9b2J\\x07\\x7f');
  t.equal(visible('a\nb\tc\rd'), 'a\\nb\\tc\\rd');
  t.equal(visible('ab\u202edc\u2028\u200b\ufeff'), 'ab\\u{202e}dc\\u{2028}\\u{200b}\\u{feff}');
  t.equal(visible('\ud800x'), '\\u{d800}x');
  t.equal(visibleLines('a\n\tb\x1b]0;t\x07'), 'a\n\tb\\x1b]0;t\\x07');
  t.equal(visible('größe 漢字 😀 👩‍💻'), 'größe 漢字 😀 👩‍💻');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = visible(text);
      return !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/u.test(shown);
    }),
  );
});

t.test('columns are counted as a terminal does, and kept', async (t) => {
  const texts: [string, number][] = [
    ['abc', 3],
    ['漢字', 4],
    ['😀', 2],
    ['é', 1],
    ['e\u0301', 1],
  ];
  for (const [text, columns] of texts) t.equal(columnsOf(text), columns, text);
  t.equal(fitted('漢字', 3), '漢…');
  t.equal(fitted('abc', 5, 'right'), '  abc');
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.integer({ min: 0, max: 30 }),
      (text, columns) => columnsOf(fitted(visible(text), columns)) === columns,
    ),
  );
});

t.test('a table stays within its width: columns leave, then are cut', async (t) => {
  const columns: Column<{ name: string; count: number }>[] = [
    { title: 'NAME', of: ({ name }) => name, columnsMin: 4 },
    { title: 'COUNT', of: ({ count }) => `${count}`, side: 'right', sortBy: ({ count }) => count },
    { title: 'MORE', of: () => 'anything', leaves: 1 },
  ];
  const rows = [
    { name: 'a-long-name', count: 9 },
    { name: '\x1b[2J', count: 10 },
  ];
  const plain = painter({ isTTY: false });
  t.same(tableLines(rows, columns, Number.POSITIVE_INFINITY, plain), [
    'NAME         COUNT  MORE',
    'a-long-name      9  anything',
    '\\x1b[2J         10  anything',
  ]);
  t.same(tableLines(rows, columns, 12, plain), ['NAME   COUNT', 'a-lo…      9', '\\x1b…     10']);
  const [, byCount] = columns;
  t.same(byCount && sorted(rows, byCount, true).map(({ count }) => count), [10, 9]);
});

t.test('durations are short', async (t) => {
  const texts: [number, string][] = [
    ...([
      [-1, '0ms'],
      [12.4, '12ms'],
      [3_400, '3.4s'],
      [59_999, '59s'],
    ] as [number, string][]),
    ...([
      [61_000, '1m'],
      [7_200_000, '2h'],
      [700_000_000, '8d'],
    ] as [number, string][]),
  ];
  for (const [ms, text] of texts) t.equal(spanText(ms), text);
});
