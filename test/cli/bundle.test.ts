import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';

/** Without the modules that tap has the child processes of a test load. */
function node(...args: string[]): string {
  return execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    encoding: 'utf8',
  });
}

/** A package with the real launcher, whose bundle and modules say which of them ran. */
function installed(t: Test) {
  const root = mkdtempSync(join(tmpdir(), 'scriptd-bundle-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  cpSync(join(packageRoot, 'bin'), join(root, 'bin'), { recursive: true });
  write('package.json', '{"type": "module"}');
  write('dist/src/cli/main.js', "export const main = (args) => console.log('modules', ...args);");
  const bundle = (says = 'bundle') =>
    write('dist/bundle/scriptd.cjs', `exports.main = (args) => console.log('${says}', ...args);`);
  const run = (...flags: string[]) => node(...flags, join(root, 'bin/scriptd'), 'get', '7').trim();
  return { root, write, bundle, run };
}

t.test('the bundle runs where there is one, else the modules', (t) => {
  const { run, bundle } = installed(t);
  t.equal(run(), 'modules get 7');
  bundle();
  t.equal(run(), 'bundle get 7');
  t.equal(run('--enable-source-maps'), 'modules get 7', 'they have the lines of the source');
  t.end();
});

t.test('what was compiled since the bundle was made runs', (t) => {
  const { root, run, bundle, write } = installed(t);
  bundle();
  write('dist/.tsbuildinfo', '{}');
  const at = (name: string, seconds: number) => utimesSync(join(root, name), seconds, seconds);
  at('dist/.tsbuildinfo', 2_000);
  at('dist/bundle/scriptd.cjs', 1_000);
  t.equal(run(), 'modules get 7');
  at('dist/bundle/scriptd.cjs', 3_000);
  t.equal(run(), 'bundle get 7');
  t.end();
});

t.test('compiled code that is not of this bundle does no harm', (t) => {
  const { run, bundle, write } = installed(t);
  bundle();
  write('dist/bundle/scriptd.cjs.command.code', 'no code at all');
  t.equal(run(), 'bundle get 7');
  const real = readFileSync(join(packageRoot, 'dist/bundle/scriptd.cjs.command.code'), 'latin1');
  write('dist/bundle/scriptd.cjs.command.code', real);
  t.equal(run(), 'bundle get 7');
  t.end();
});

t.test('V8 takes the code that was compiled for each part', (t) => {
  const launcher = JSON.stringify(join(packageRoot, 'bin/bundle.mjs'));
  for (const part of ['up', 'controller', 'http', 'worker', 'queues']) {
    const ask = `import { bundleFor } from ${launcher};
      console.log(bundleFor('${part}').script.cachedDataRejected);`;
    t.equal(node('--input-type=module', '--eval', ask).trim(), 'false', part);
  }
  t.end();
});

t.test('compiled code of a bundle before, as long as this one, is not run', (t) => {
  const { root, run, bundle } = installed(t);
  bundle('first!');
  const launcher = JSON.stringify(join(root, 'bin/bundle.mjs'));
  const keep = `import { bundleFor } from ${launcher};
    const { load, keepCode } = bundleFor('get');
    load().main([]);
    keepCode();`;
  const ask = `import { bundleFor } from ${launcher};
    console.log(bundleFor('get').script.cachedDataRejected);`;
  t.equal(node('--input-type=module', '--eval', keep).trim(), 'first!');
  t.equal(node('--input-type=module', '--eval', ask).trim(), 'false', 'it is taken');
  bundle('second');
  t.equal(run(), 'second get 7');
  t.end();
});

t.test('the runs that make the compiled code know no configuration of who builds', (t) => {
  const { root, write } = installed(t);
  cpSync(join(packageRoot, 'scripts/bundle.mjs'), join(root, 'scripts/bundle.mjs'));
  const seen = join(root, 'seen');
  write(
    'dist/bundle/scriptd.cjs',
    `exports.main = ([part]) => {
      const names = Object.keys(process.env).filter((name) => name.startsWith('SCRIPTD_'));
      const file = require('node:fs').existsSync('scriptd.yaml');
      require('node:fs').appendFileSync('${seen}', JSON.stringify([part, names, file]) + '\\n');
    };`,
  );
  write('scriptd.yaml', 'host: 0.0.0.0');
  const settings = ['CONFIG=/etc/scriptd.yaml', 'HOST=::', 'NATIVE_DIR=/native'];
  const variables = settings.map((setting) => `SCRIPTD_${setting}`);
  const command = [...variables, process.execPath, 'scripts/bundle.mjs', '--code'];
  execFileSync('env', ['-u', 'NODE_OPTIONS', ...command], { cwd: root });
  const runs = readFileSync(seen, 'utf8').trim().split('\n');
  const parts = ['up', 'controller', 'http', 'worker', 'queues'];
  t.strictSame(
    runs.map((line) => JSON.parse(line)),
    parts.map((part) => [part, ['SCRIPTD_NATIVE_DIR'], false]),
  );
  t.end();
});

t.test('npm runs no script of the package before or after another because of its name', (t) => {
  const text = readFileSync(join(packageRoot, 'package.json'), 'utf8');
  const names = Object.keys(JSON.parse(text).scripts);
  const hooks = names.flatMap((name) => [`pre${name}`, `post${name}`]);
  t.strictSame(
    names.filter((name) => hooks.includes(name)),
    [],
  );
  t.end();
});
