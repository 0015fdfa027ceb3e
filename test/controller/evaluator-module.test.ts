import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import t from 'tap';
import {
  faultLogger,
  loadEvaluatorModule,
  loadedEvaluator,
} from '../../src/controller/evaluator-module.js';
import { temporaryFolder } from '../worker/test-worker.js';

const task = { code: 'x', priority: 2, tags: [], createdAt: 1_000 };

function moduleFile(t: Parameters<typeof temporaryFolder>[0], text: string): string {
  const path = join(temporaryFolder(t), 'mine.mjs');
  writeFileSync(path, text);
  return path;
}

function logTo(lines: Record<string, unknown>[]) {
  return pino({}, { write: (line) => lines.push(JSON.parse(line)) });
}

t.test('by name, or by default', async (t) => {
  const named = await loadEvaluatorModule(moduleFile(t, 'export const score = () => 7;'));
  t.equal(named.score?.(task, 0), 7);
  t.equal(named.route, undefined);
  const text = 'export default { route: () => ({ type: "bash" }) };';
  const standard = await loadEvaluatorModule(moduleFile(t, text));
  t.strictSame(standard.route?.(task, ['bash']), { type: 'bash' });
});

t.test('what cannot be used says why', async (t) => {
  const refused = (text: string) => loadEvaluatorModule(moduleFile(t, text));
  const like = (message: RegExp) => ({ code: 'BAD_EVALUATOR', message });
  await t.rejects(
    loadEvaluatorModule('/nowhere/mine.js'),
    like(/\/nowhere\/mine\.js cannot be loaded/),
  );
  await t.rejects(refused('export const score = ;'), like(/cannot be loaded: Unexpected token/));
  await t.rejects(refused('throw new Error("not today")'), like(/not today/));
  await t.rejects(
    refused('export const rank = 1;'),
    like(/exports neither `route\(task, known\)`/),
  );
  await t.rejects(refused('export const score = 1;'), like(/`score` is not a function/));
  await t.rejects(refused('export default 5;'), like(/exports nothing/));
});

t.test('without a file the built-in rules', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const evaluator = await loadedEvaluator('', logTo(lines));
  t.equal(evaluator.score(task, 0), 120_000);
  t.equal(lines.length, 0);
});

t.test('a rule that fails is told of, and the built-in one answers', async (t) => {
  const lines: Record<string, unknown>[] = [];
  const file = moduleFile(t, 'export const score = () => { throw new Error("no idea") };');
  const evaluator = await loadedEvaluator(file, logTo(lines));
  t.match(lines[0], { rules: ['score'] });
  t.equal(evaluator.score(task, 0), 120_000);
  t.match(lines[1], { level: 50, rule: 'score', faults: 1, msg: /no idea/ });
});

t.test('a rule that always fails fills no log: one line a minute, with the count', async (t) => {
  const lines: Record<string, unknown>[] = [];
  let nowMs = 0;
  const tell = faultLogger(logTo(lines), () => nowMs);
  for (let count = 0; count < 1_000; count++) tell({ rule: 'score', message: 'x' });
  tell({ rule: 'route', message: 'y' });
  t.strictSame(
    lines.map(({ rule, faults }) => [rule, faults]),
    [
      ['score', 1],
      ['route', 1],
    ],
  );
  nowMs = 60_000;
  tell({ rule: 'score', message: 'x' });
  t.match(lines[2], { rule: 'score', faults: 1_000 });
});
