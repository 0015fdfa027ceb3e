import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { createFile, ensureFile } from '../src/durable-file.js';
import { packageRoot } from '../src/native.js';
import { temporaryFolder } from './store/fixtures.js';

const module = pathToFileURL(join(packageRoot, 'dist/src/durable-file.js')).href;
/** tap has the child processes of a test load its own modules; these are to run as they are. */
const node = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '-e'];

t.test('a new file is whole, for its owner only, and no other takes its place', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'file');
  createFile(path, 'first');
  t.throws(() => createFile(path, 'second'), { code: 'EEXIST' });
  ensureFile(path, 'third');
  t.equal(readFileSync(path, 'utf8'), 'first');
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(readdirSync(folder), ['file']);
  t.throws(() => createFile(join(folder, 'no', 'folder'), 'text'), { code: 'ENOENT' });
});

t.test('what another left that was cut off while it replaced an empty file is used', async (t) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'file');
  writeFileSync(path, '');
  writeFileSync(`${path}.new`, 'agreed');
  ensureFile(path, 'mine');
  t.equal(readFileSync(path, 'utf8'), 'agreed');
  t.same(readdirSync(folder), ['file']);
});

t.test('of many that make a file at once, each reads the same', async (t) => {
  const folder = temporaryFolder(t);
  const makers = 4;
  const rounds = 40;
  // Every other one is there already, and empty.
  for (let round = 0; round < rounds; round += 2) writeFileSync(join(folder, `file-${round}`), '');
  const code = `
    import { ensureFile } from '${module}';
    import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
    process.chdir(${JSON.stringify(folder)});
    const read = [];
    for (let round = 0; round < ${rounds}; round++) {
      writeFileSync('at-' + round + '-' + process.pid, '');
      while (readdirSync('.').filter((one) => one.startsWith('at-' + round + '-')).length < ${makers});
      ensureFile('file-' + round, String(process.pid));
      read.push(readFileSync('file-' + round, 'utf8'));
    }
    process.stdout.write(JSON.stringify(read));`;
  const children = Array.from({ length: makers }, () => {
    return spawn('env', [...node, code], { stdio: ['ignore', 'pipe', 'inherit'] });
  });
  const read = await Promise.all(
    children.map(async ({ stdout }) => JSON.parse(await text(stdout))),
  );
  const [first] = read;
  t.equal(first.length, rounds);
  for (const one of read) t.same(one, first);
  t.notOk(first.includes(''));
  const left = readdirSync(folder).filter((name) => !name.startsWith('at-'));
  t.equal(left.length, rounds, 'nothing else is left');
});

const strace = spawnSync('strace', ['-V']).status === 0;
t.test(
  'a file is flushed before it has its name, and its folder afterwards',
  { skip: strace ? false : 'strace is not installed' },
  async (t) => {
    const folder = temporaryFolder(t);
    const log = join(folder, 'strace');
    const code = `import { ensureFile } from '${module}'; ensureFile('${folder}/file', 'text');`;
    const calls = 'trace=write,pwrite64,fsync,link,linkat';
    const command = ['-f', '-y', '-e', calls, '-e', 'signal=none', '-o', log, 'env', ...node, code];
    t.equal(spawnSync('strace', command).status, 0);
    const lines = readFileSync(log, 'utf8').split('\n');
    const at = (pattern: RegExp) => lines.findIndex((line) => pattern.test(line));
    const order = [/write.*file\.\w+>, "text"/, /fsync.*file\.\w+>/, /link.*file"/, /fsync.*-\w+>/];
    const found = order.map(at);
    t.notOk(found.includes(-1), `${found}`);
    t.same(
      found,
      [...found].sort((a, b) => a - b),
      lines.join('\n'),
    );
  },
);
