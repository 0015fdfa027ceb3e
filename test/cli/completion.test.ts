import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { allOf, treeOf } from '../../src/cli/command-tree.js';
import { bashCompletion, fishCompletion, zshCompletion } from '../../src/cli/completion-scripts.js';
import { manualPage } from '../../src/cli/manual.js';
import { createProgram } from '../../src/cli/program.js';
import { packageRoot } from '../../src/native.js';

const tree = treeOf(createProgram());

/** What bash offers after this line. */
function offered(...words: string[]): string[] {
  const script = `${bashCompletion(tree)}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _scriptd; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'x', 'scriptd', ...words], {
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  t.equal(status, 0);
  return stdout.trim().split('\n');
}

t.test('bash completes commands, options and their values', async (t) => {
  const commands = offered('');
  for (const name of ['up', 'submit', 'list', 'top', 'mcp']) t.ok(commands.includes(name), name);
  t.same(offered('su'), ['submit']);
  t.same(offered('list', '--so'), ['--sort']);
  t.same(offered('list', '--state', 'p'), ['pending']);
  t.same(offered('store', 'ch'), ['check']);
  t.same(offered('completion', 'f'), ['fish']);
  t.same(offered('submit', '--tag', 'x', '--det'), ['--detach']);
});

t.test('every command and option is in each of them', async (t) => {
  const texts = [bashCompletion(tree), zshCompletion(tree), fishCompletion(tree)];
  for (const { path, options } of allOf(tree)) {
    for (const text of texts) t.match(text, path.at(-1) ?? '', path.join(' '));
    for (const { names } of options) t.match(texts[2], `-l ${(names.at(-1) ?? '').slice(2)}`);
  }
});

t.test('docs/scriptd.1 is the manual of the commands that there are', async (t) => {
  const read = (path: string) => readFileSync(join(packageRoot, path), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const cure = 'node scripts/manual.mjs writes it anew';
  t.equal(read('docs/scriptd.1'), manualPage(tree, version), cure);
});
