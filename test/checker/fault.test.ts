import t from 'tap';
import { checkFault } from '../../src/checker/fault.js';
import { limits } from '../../src/limits.js';
import type { Check } from '../../src/task.js';

t.test('one kind, with its own options only', async (t) => {
  for (const check of [
    { schema: {} },
    { pattern: '', flags: 'i' },
    { exact: '', trim: true },
    { script: { code: 'exit 0', args: ['x'] } },
  ]) {
    t.equal(checkFault(check), undefined, JSON.stringify(check));
  }
  t.match(checkFault({}), { field: 'check', message: /needs one of schema, .*it has none/ });
  t.match(checkFault({ exact: '', pattern: '' }), {
    field: 'check',
    message: /it has pattern and exact/,
  });
  t.match(checkFault({ exact: '', flags: 'i' }), { field: 'check.flags' });
  t.match(checkFault({ schema: {}, trim: true }), { field: 'check.trim' });
  t.match(checkFault({ script: { code: 'x', args: ['a', 'b\0'] } }), {
    field: 'check.script.args.1',
  });
});

t.test('a schema is bounded in depth and size, however it gets large', async (t) => {
  let schema: Record<string, unknown> = {};
  for (let depth = 1; depth < limits.checkSchemaDepthMax; depth++) schema = { not: schema };
  t.equal(checkFault({ schema }), undefined);
  t.match(checkFault({ schema: { not: schema } }), { message: /nested deeper than 12.*\$ref/ });
  let abyss: Record<string, unknown> = {};
  for (let depth = 0; depth < 100_000; depth++) abyss = { not: abyss };
  t.match(checkFault({ schema: abyss }), { field: 'check.schema' });
  const wide: Check = { schema: { enum: ['x'.repeat(limits.checkSchemaBytesMax)] } };
  t.match(checkFault(wide), { field: 'check.schema', message: /at most 65536/ });
  t.match(checkFault({ exact: 'ü'.repeat(600 * 1024) }), { field: 'check' });
});
