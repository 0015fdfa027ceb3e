import t from 'tap';
import type { Tuple } from '../../src/store/lmdb/tuple.js';
import { tuple, tuples } from '../../src/store/lmdb/tuple.js';
import { viewTuple } from '../../src/store/lmdb/views.js';
import {
  AttemptRecord,
  CancelRecord,
  Limits,
  NotCollected,
  TaskView,
  Timeline,
  Usage,
} from '../../src/task.js';

t.test('every field of a task is stored, with the fields of its parts', async (t) => {
  const bulk = ['stdout', 'stderr', 'files', 'exception'];
  const names = (schema: { properties: object }) => Object.keys(schema.properties).sort();
  const stored = (record: Tuple | undefined) => Object.keys(record?.fields ?? {}).sort();
  const { fields } = viewTuple;
  t.same(
    stored(viewTuple),
    names(TaskView).filter((name) => !bulk.includes(name)),
  );
  for (const [name, schema] of Object.entries({
    limits: Limits,
    attempts: AttemptRecord,
    timeline: Timeline,
    usage: Usage,
    cancel: CancelRecord,
    filesNotCollected: NotCollected,
  })) {
    t.same(stored(fields[name]), names(schema), name);
  }
  t.same(stored(fields.truncated), ['stderr', 'stdout']);
});

t.test('the order in which fields are stored is that of schema version 1', async (t) => {
  // Only ever to be added to at the end; anything else needs a migration.
  const order =
    'id type state priority score createdAt durability network attempt tags limits attempts group ' +
    'runAt expiresAt nextAttemptAt startedAt worker finishedAt outcome exitCode timeline usage ' +
    'truncated code reason signal cancel deadLetter filesNotCollected';
  t.equal(Object.keys(viewTuple.fields).slice(0, 30).join(' '), order);
});

t.test('what is absent stays absent, wherever it stands', async (t) => {
  const inner = tuple({ x: undefined, y: undefined });
  const outer = tuple({ a: undefined, b: inner, c: tuples(inner), d: undefined });
  for (const value of [
    {},
    { a: 1 },
    { d: false },
    { b: {}, d: '' },
    { b: { y: 0 }, c: [] },
    { c: [{ x: 1 }, {}, { y: 2 }] },
  ]) {
    t.same(outer.unpack(outer.pack(value)), value);
  }
  t.same(outer.pack({ a: 1 }), [1], 'nulls at the end are left out');
  t.same(outer.unpack([1, null, null, 4, 'of a later version']), { a: 1, d: 4 });
});
