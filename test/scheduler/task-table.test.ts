import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { v7 as uuidv7 } from 'uuid';
import { TaskIds } from '../../src/scheduler/task-ids.js';
import { TaskTable } from '../../src/scheduler/task-table.js';

t.test('a task is found by its id until it is removed, and its row is used again', async (t) => {
  const pool = Array.from({ length: 40 }, (_, index) => (index % 2 ? uuidv7() : randomUUID()));
  const steps = fc.array(fc.nat(pool.length - 1), { maxLength: 400 });
  fc.assert(
    fc.property(steps, (drawn) => {
      const table = new TaskTable();
      const rows = new Map<string, number>();
      for (const index of drawn) {
        const id = pool[index] as string;
        const row = rows.get(id);
        if (row === undefined) {
          rows.set(id, table.add(id));
        } else {
          table.remove(row);
          rows.delete(id);
        }
      }
      const found = pool.every((id) => table.find(id) === (rows.get(id) ?? -1));
      const texts = [...rows].every(([id, row]) => table.idOf(row) === id);
      return found && texts && table.size === rows.size;
    }),
  );
  const table = new TaskTable();
  const [first = '', second = ''] = pool;
  const row = table.add(first);
  table.attempt.set(row, 7);
  table.remove(row);
  t.equal(table.add(second), row);
  t.equal(table.attempt.get(row), 0, 'nothing of the task before it is left');
});

t.test('ids of one millisecond and ids that share all but one bit are told apart', async (t) => {
  const ids = new TaskIds();
  ids.grow(256);
  const bytes = randomBytes(16);
  const texts = Array.from({ length: 128 }, (_, bit) => {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    return changed.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  });
  for (const [row, text] of texts.entries()) t.equal(ids.add(row, text), true);
  t.ok(texts.every((text, row) => ids.find(text) === row && ids.text(row) === text));
});

t.test('what is no UUID is nobody', async (t) => {
  const table = new TaskTable();
  const id = randomUUID();
  table.add(id);
  for (const text of ['', '-'.repeat(36), id.slice(1), `${id} `, id.replace('-', '0')]) {
    t.equal(table.find(text), -1, text);
  }
  t.throws(() => table.add('a'), /UUID/);
  t.throws(() => table.add(id), /twice/);
});
