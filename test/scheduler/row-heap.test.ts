import fc from 'fast-check';
import t from 'tap';
import { Column, float64, int32 } from '../../src/scheduler/column.js';
import { RowHeap } from '../../src/scheduler/row-heap.js';

const rows = 64;

function setUp() {
  const places = new Column(int32);
  const ties = new Column(float64);
  places.grow(rows);
  ties.grow(rows);
  for (let row = 0; row < rows; row++) ties.set(row, row);
  return new RowHeap(places, ties);
}

const steps = fc.array(
  fc.record({
    row: fc.nat(rows - 1),
    // Few keys, so that many are equal; undefined: take the row out.
    key: fc.option(fc.integer({ min: -4, max: 4 }), { nil: undefined }),
  }),
  { maxLength: 300 },
);

t.test(
  'rows come out by key, then tie, however they were put in, moved and taken out',
  async () => {
    fc.assert(
      fc.property(steps, (drawn) => {
        const heap = setUp();
        const model = new Map<number, number>();
        for (const { row, key } of drawn) {
          if (key === undefined) {
            if (heap.remove(row) !== model.delete(row)) return false;
          } else {
            heap.set(row, key);
            model.set(row, key);
          }
          if (heap.size !== model.size || heap.has(row) !== model.has(row)) return false;
        }
        const sorted = [...model].sort(([a, x], [b, y]) => x - y || a - b);
        const ahead = sorted.every(([row], index) => heap.countBefore(row, rows) === index);
        const out = sorted.map(([, key]) => {
          const { first, firstKey } = heap;
          heap.remove(first);
          return [first, firstKey === key] as const;
        });
        const same = out.every(([row, keyed], index) => keyed && row === sorted[index]?.[0]);
        return ahead && same && heap.size === 0 && heap.first === -1;
      }),
    );
  },
);

t.test('counting stops where it is told to', async (t) => {
  const heap = setUp();
  for (let row = 0; row < rows; row++) heap.set(row, 0);
  t.equal(heap.countBefore(rows - 1, 10), 10);
});
