import t from 'tap';
import { type BenchRow, bound, type Comparison, compare, pair } from '../../bench/row.js';
import { formatRow } from '../../bench/table.js';

/** A comparison whose sides give these figures, the first of each to warm it up; and who was asked when. */
function comparison(values: number[], references: number[], more: Partial<Comparison> = {}) {
  const asked: string[] = [];
  const side = (name: string, figures: number[]) => async () => {
    asked.push(name);
    return figures.shift() ?? Number.NaN;
  };
  const whole: Comparison = {
    ...{ name: 'a', unit: 'ms', reference: 'b', rounds: values.length - 1, ...more },
    measure: side('value', [...values]),
    measureReference: side('reference', [...references]),
  };
  return { whole, asked };
}

t.test('either side comes first in turn, after a round that does not count', async (t) => {
  const { whole, asked } = comparison([999, 1, 3, 2], [999, 4, 4, 4]);
  const row = await compare(whole);
  t.same(asked, [
    ...['value', 'reference'],
    ...['value', 'reference', 'reference', 'value', 'value', 'reference'],
  ]);
  t.match(row, { value: 2, referenceValue: 4, ratio: 0.5, rounds: 3 });
  t.match(row.spread, { value: { min: 1, max: 3 }, reference: { min: 4, max: 4, relativeIqr: 0 } });
});

t.test('a bar holds on its own side, its bound included', async (t) => {
  const holds = async (value: number, bar: Comparison['bar']) =>
    (await compare(comparison([value, value], [10, 10], bar && { bar }).whole)).holds;
  t.equal(await holds(5, { atMost: 0.5 }), true);
  t.equal(await holds(6, { atMost: 0.5 }), false);
  t.equal(await holds(30, { atLeast: 3 }), true);
  t.equal(await holds(29, { atLeast: 3 }), false);
  t.equal(await holds(10, { equal: true }), true);
  t.equal(await holds(9, { equal: true }), false);
  t.equal(await holds(9, undefined), undefined);
});

t.test('one round has no spread; durability is told where it is part of the work', async (t) => {
  const durability = { value: 'fsync', reference: 'none' };
  const row = await compare(comparison([1, 1], [1, 1], { durability }).whole);
  t.notOk('spread' in row);
  t.same(row.durability, durability);
});

t.test('a figure against its own bound, and two figures of one run', async (t) => {
  t.match(bound('memory', 150, 'MiB', 300), { ratio: 0.5, bar: '≤ 1', holds: true });
  t.match(bound('memory', 301, 'MiB', 300), { bar: '≤ 1', holds: false });
  const sides = { name: 'files', unit: '', reference: 'before' };
  const none = pair({ ...sides, value: 0, referenceValue: 0 }, { equal: true });
  t.match(none, { ratio: 1, bar: '= 1', holds: true });
  t.match(pair({ ...sides, value: 1, referenceValue: 0 }, { equal: true }), { holds: false });
});

t.test(
  'the table tells a bar that does not hold, a row without one, and what is missing',
  async (t) => {
    const row: BenchRow = bound('memory', 301, 'MiB', 300);
    t.match(formatRow(row), /^memory +301 MiB +300 \(bound\) +1\.00 +≤ 1 DOES NOT HOLD$/);
    const { bar: _bar, holds: _holds, ...rest } = row;
    const spread = { min: 1, max: 9, relativeIqr: 0.1 };
    const line = formatRow({ ...rest, spread: { value: spread, reference: spread } });
    t.match(line, /301 MiB ±5% +300 ±5% \(bound\) .* for information$/);
    const absent = formatRow({ name: 'other', absent: 'isolate; install it' });
    t.match(absent, /^other +not here: isolate; install it$/);
  },
);
