import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LmdbStore } from '../../src/store/lmdb/store.js';
import { submission, success } from '../store/fixtures.js';
import { temporaryFolder } from '../worker/test-worker.js';
import { scriptd } from './scriptd.js';

/** One slot's day: a crowd at once, and one that came last and matters, by its tag. */
async function storeWithHistory(t: Parameters<typeof temporaryFolder>[0]) {
  const dataDir = temporaryFolder(t);
  const directory = join(dataDir, 'store');
  const store = new LmdbStore({ directory, durability: 'os', retentionMs: 1e15 });
  t.teardown(() => store.close());
  for (let n = 0; n < 10; n++) {
    const vip = n === 9;
    const entry = submission(
      { type: 'bash', group: vip ? 'vip' : 'crowd', createdAt: 1_000, tags: vip ? ['vip'] : [] },
      { tags: vip ? ['vip'] : [], code: 'echo' },
    );
    const { id } = entry.view;
    await store.submit([entry]);
    const startedAt = 1_000 + n * 100;
    await store.claim([{ taskId: id, attempt: { attempt: 1, worker: 'w', startedAt } }]);
    await store.complete([success(id, startedAt + 100)]);
  }
  // What is listed is in the databases by then, where another process reads it.
  await store.query({ limit: 1 });
  return { dataDir, store };
}

const evaluate = (dataDir: string, ...args: string[]) =>
  scriptd(['evaluate', '--replay', '--data-dir', dataDir, ...args], dataDir);

t.test('the waits of each group under both rules, while the store is written', async (t) => {
  const { dataDir } = await storeWithHistory(t);
  const { stdout, code, stderr } = await evaluate(dataDir, '--json');
  t.equal(code, 0, stderr);
  const report = JSON.parse(stdout);
  t.match(report, {
    tasks: 10,
    leftOut: 0,
    slots: { bash: 1 },
    slotsFrom: 'the history',
    rules: { present: 'built-in', new: 'built-in' },
    faults: { present: 0, new: 0 },
  });
  const [crowd, vip] = report.groups;
  t.match(crowd, { group: 'crowd', recorded: { tasks: 9, p50Ms: 400, maxMs: 800 } });
  t.match(vip, { group: 'vip', recorded: { tasks: 1, p50Ms: 900, maxMs: 900 } });
  // The queue of today is fair between groups, and is the same with the same rule.
  t.equal(vip.present.maxMs, 100);
  t.strictSame(vip.new, vip.present);
  t.equal((await evaluate(dataDir, '--json')).stdout, stdout, 'deterministic');
});

t.test('a new rule changes what it should, and the table shows it', async (t) => {
  const { dataDir } = await storeWithHistory(t);
  const rule = join(dataDir, 'rule.mjs');
  writeFileSync(
    rule,
    `export const score = ({ createdAt, group }) => group === 'crowd' ? crowd++ * 1000 : 0;
     let crowd = 0;`,
  );
  const json = JSON.parse((await evaluate(dataDir, '--evaluator', rule, '--json')).stdout);
  t.match(json.rules, { present: 'built-in', new: rule });
  const table = await evaluate(dataDir, '--evaluator', rule, '--slots', 'bash=2');
  t.equal(table.code, 0, table.stderr);
  t.match(table.stdout, /^10 tasks \(0 left out\), slots bash=2 of the command line\n/);
  t.match(table.stdout, /\nvip {4,}1 +900 \/ 900 \/ 900 +\d+ \/ /);
});

t.test(
  'the present rule is the one of the configuration; a rule that fails is counted',
  async (t) => {
    const { dataDir } = await storeWithHistory(t);
    writeFileSync(join(dataDir, 'bad.mjs'), 'export const score = () => "high";');
    writeFileSync(join(dataDir, 'scriptd.yaml'), 'evaluator: ./bad.mjs\n');
    const { stdout, code } = await evaluate(dataDir, '--json');
    t.equal(code, 0);
    t.match(JSON.parse(stdout), {
      rules: { present: './bad.mjs', new: 'built-in' },
      faults: { present: 10, new: 0 },
    });
  },
);

t.test('what cannot be: no store, no rule, no time', async (t) => {
  const folder = temporaryFolder(t);
  t.match(await evaluate(folder), { code: 1, stderr: /there is no store in/ });
  t.match(await evaluate(folder, '--evaluator', 'no.js'), { code: 78, stderr: /cannot be loaded/ });
  const { dataDir } = await storeWithHistory(t);
  t.match(await evaluate(dataDir, '--since', 'yesterday'), { code: 64, stderr: /no time/ });
  t.match(JSON.parse((await evaluate(dataDir, '--since', '1h', '--json')).stdout), { tasks: 0 });
  t.match(await scriptd(['evaluate'], folder), { code: 64, stderr: /--replay/ });
});
