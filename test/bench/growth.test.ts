import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { growths } from '../../bench/growth/catalogue.js';
import { chart } from '../../bench/growth/chart.js';
import { pageFile, pageWith, plotFile } from '../../bench/growth/documents.js';
import { Samples } from '../../bench/growth/growth.js';
import { replaceBlock, table } from '../../bench/growth/page.js';
import { loadResults } from '../../bench/growth/results.js';
import { steepest } from '../../bench/growth/steepness.js';
import { packageRoot } from '../../src/native.js';

const program = join(packageRoot, 'dist', 'bench', 'growth', 'main.js');
const results = join(packageRoot, 'bench', 'growth', 'results.json');

function bench(...args: string[]) {
  // tap has the child processes of a test load its own modules; these are to run as they are.
  const clean = ['-u', 'NODE_OPTIONS', process.execPath, program, ...args];
  const { status, stdout, stderr } = spawnSync('env', clean, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

for (const growth of growths) {
  t.test(`docs/growth/${growth.name}.svg and its table are what was measured`, async (t) => {
    const measured = loadResults()[growth.name];
    if (!measured) throw new Error(`not measured yet: npm run bench:growth -- ${growth.name}`);
    const drawn = readFileSync(plotFile(growth), 'utf8');
    t.equal(drawn, chart(growth, measured.series), 'else: npm run bench:growth -- --redraw');
    const page = readFileSync(pageFile, 'utf8');
    t.equal(page, pageWith(page, growth, measured), 'else: npm run bench:growth -- --redraw');
    t.match(page, `growth/${growth.name}.svg`, 'the page shows it');
  });

  t.test(`the plot ${growth.name} can be measured anew`, async (t) => {
    const before = readFileSync(results, 'utf8');
    const { status, stdout, stderr } = bench(growth.name, '--smoke');
    t.equal(status, 0, stderr);
    t.match(stdout, growth.title);
    for (const { short } of growth.panels) t.match(stdout, short);
    t.equal(readFileSync(results, 'utf8'), before, 'a smoke test keeps nothing');
  });
}

t.test('a plot that is not there is named, with those that are', async (t) => {
  const { status, stderr } = bench('pendnig');
  t.equal(status, 2);
  t.match(stderr, 'pendnig');
  t.match(stderr, 'pending, workers, code, output, clients');
  t.equal(bench('--smoke', '--redraw').status, 2, 'nor can it measure and not measure');
});

t.test('the steepest step is the one whose cost grows most for its work', async (t) => {
  const points = [
    { work: 0, values: [1] },
    { work: 1, values: [9, 10, 11] },
    { work: 10, values: [20] },
    { work: 100, values: [400] },
  ];
  const step = steepest(points);
  t.same([step?.from, step?.to, step?.ratio], [10, 100, 20]);
  t.ok((step?.exponent ?? 0) > 1, 'it grows faster than in proportion');
  t.equal(steepest(points.slice(0, 2)), undefined, 'from zero there is no proportion');
  const even = [1, 10, 100].map((work) => ({ work, values: [work * 3] }));
  t.ok(Math.abs((steepest(even)?.exponent ?? 0) - 1) < 1e-9, 'in proportion is 1');
});

t.test('samples are kept by round, from little work to much', async (t) => {
  const samples = new Samples();
  for (const [work, value] of [
    [10, 3],
    [1, 1],
    [10, 4],
  ] as const)
    samples.add('a', work, value);
  t.same(samples.measured(), {
    a: [
      { work: 1, values: [1] },
      { work: 10, values: [3, 4] },
    ],
  });
});

t.test('a table shows medians with their spread, and the steepest step', async (t) => {
  const [growth] = growths;
  if (!growth) throw new Error('there is no plot');
  const points = [
    { work: 1, values: [1, 2, 3] },
    { work: 10, values: [4, 4, 4] },
  ];
  const written = table(growth, { noop: points, 'noop processor': points, memory: points });
  t.match(written, '| 1 | 2 ms (1 ms to 3 ms) |');
  t.match(written, '| 10 | 4 ms |');
  t.match(written, '×2.00 for ×10, 1 to 10');
});

t.test('only what stands between the marks of a page is replaced', async (t) => {
  const page = 'a\n<!-- x -->\nold\n<!-- /x -->\nb <!-- y -->';
  t.equal(replaceBlock(page, 'x', 'new'), 'a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb <!-- y -->');
  t.throws(() => replaceBlock(page, 'y', ''), /<!-- y -->/);
});
