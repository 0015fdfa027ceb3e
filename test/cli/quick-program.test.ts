import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createProgram } from '../../src/cli/program.js';
import { quickProgram } from '../../src/cli/quick-program.js';
import { packageRoot } from '../../src/native.js';

const asking = createProgram().commands.filter(({ options }) =>
  options.some(({ description }) => description.includes('[SCRIPTD_URL]')),
);

t.test('a command that asks a service is the same alone as among all', async (t) => {
  t.ok(asking.length > 10);
  for (const command of asking) {
    const alone = (await quickProgram(command.name()))?.commands ?? [];
    t.equal(alone.length, 1, command.name());
    t.equal(alone[0]?.helpInformation(), command.helpInformation(), command.name());
  }
  t.equal(await quickProgram('up'), undefined);
  t.equal(await quickProgram('constructor'), undefined);
});

t.test('and it loads no package but the one that reads its options', async (t) => {
  for (const command of asking) {
    const loaded = t.testdir();
    // With source maps it runs the modules, not the bundle of them.
    const program = ['--enable-source-maps', join(packageRoot, 'bin/scriptd')];
    execFileSync(
      'env',
      ['-u', 'NODE_OPTIONS', process.execPath, ...program, command.name(), '--help'],
      { env: { ...process.env, NODE_V8_COVERAGE: loaded } },
    );
    const [name = ''] = readdirSync(loaded);
    const { result } = JSON.parse(readFileSync(join(loaded, name), 'utf8')) as {
      result: { url: string }[];
    };
    const paths = result.map(({ url }) => url);
    t.ok(paths.some((path) => path.endsWith('/cli/main.js')));
    const packages = paths.flatMap((path) => /\/node_modules\/([^/]+)/.exec(path)?.[1] ?? []);
    t.same([...new Set(packages)], ['commander'], command.name());
  }
});
