import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import {
  type CollectOrder,
  checkPattern,
  checkPatterns,
  collectFrom,
  encodeCollectOrder,
  readCollected,
} from '../../src/worker/collect.js';
import { openDescriptors, python } from './sandbox-process.js';

const {
  EPERM,
  ENOENT,
  ELOOP,
  EISDIR,
  EINVAL,
  EFBIG,
  EMFILE,
  ENOTDIR,
  ENAMETOOLONG,
  EILSEQ,
  E2BIG,
} = {
  ...{ EPERM: 1, ENOENT: 2, ELOOP: 40, EISDIR: 21, EINVAL: 22, EFBIG: 27, EMFILE: 24 },
  ...{ ENOTDIR: 20, ENAMETOOLONG: 36, EILSEQ: 84, E2BIG: 7 },
};
const enough = { filesMax: 1000, bytesMax: 2 ** 20 };

/** Where 100,000 files are made and removed in a moment, if there is such a place. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** A directory with these files; a name that ends in a slash is a directory. */
function tree(t: Test, files: Record<string, string> = {}): string {
  const directory = mkdtempSync(join(memory, 'scriptd-test-'));
  chmodSync(directory, 0o755);
  // Node's own removal fails on paths that are too long for the kernel.
  t.teardown(() => execFileSync('rm', ['-rf', directory]));
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (!name.endsWith('/')) writeFileSync(path, content);
  }
  return directory;
}

async function collected(
  directory: string,
  patterns: string[],
  caps: Partial<CollectOrder> = {},
): Promise<{ files: Record<string, string>; not: Record<string, number> }> {
  const { files, notCollected } = await collectFrom(directory, { ...enough, ...caps, patterns });
  return {
    files: Object.fromEntries(files.map(({ name, content }) => [name, content.toString()])),
    not: Object.fromEntries(notCollected.map(({ name, errno }) => [name, errno])),
  };
}

async function names(directory: string, ...patterns: string[]): Promise<string[]> {
  const { files, not } = await collected(directory, patterns);
  t.same(not, {});
  return Object.keys(files);
}

t.test('patterns take what they would in a shell', async (t) => {
  const directory = tree(t, {
    ...{ 'a.txt': '', 'b.txt': '', '.hidden.txt': '', 'ä.txt': '', 'x/c.txt': '' },
    ...{ 'x/y/d.txt': '', 'x/.z/e.txt': '', '.w/f.txt': '', 'x/y/d.md': '', 'line\nbreak': '' },
  });
  t.same(await names(directory, 'a.txt'), ['a.txt']);
  t.same(await names(directory, '*.txt'), ['a.txt', 'b.txt', 'ä.txt']);
  t.same(await names(directory, '?.txt'), ['a.txt', 'b.txt', 'ä.txt']);
  t.same(await names(directory, '.*.txt', '.hidden.txt'), ['.hidden.txt']);
  t.same(await names(directory, '*/*.txt'), ['x/c.txt']);
  t.same(await names(directory, 'x/**/*.txt'), ['x/c.txt', 'x/y/d.txt']);
  t.same(await names(directory, '**/d.*'), ['x/y/d.md', 'x/y/d.txt']);
  t.same(await names(directory, 'x/**'), ['x/c.txt', 'x/y/d.md', 'x/y/d.txt']);
  t.same(await names(directory, '**/y/**'), ['x/y/d.md', 'x/y/d.txt']);
  t.same(await names(directory, 'x/.z/*', '.w/**'), ['.w/f.txt', 'x/.z/e.txt']);
  t.same(await names(directory, 'line?break', 'li*ak'), ['line\nbreak']);
  t.same(await names(directory, 'nothing', 'x/nothing', 'nothing/x', '*.none'), []);
  t.same(await names(directory), []);
});

t.test('a file that several patterns match comes once, with its content', async (t) => {
  const content = 'x'.repeat(200_001);
  const directory = tree(t, { 'a/b': content, 'a/c': '', 'a/d': '4' });
  const { files, not } = await collected(directory, ['a/b', '*/b', '**', 'a/?', 'a/**/b']);
  t.same(files, { 'a/b': content, 'a/c': '', 'a/d': '4' });
  t.same(not, {});
});

t.test('nothing but regular files is taken, and no link followed', async (t) => {
  const directory = tree(t, { 'real/file': 'r', target: 't' });
  symlinkSync('/etc/passwd', join(directory, 'passwd'));
  symlinkSync('target', join(directory, 'near'));
  symlinkSync('/etc', join(directory, 'etc'));
  symlinkSync('.', join(directory, 'real', 'loop'));
  symlinkSync('/proc/self/environ', join(directory, 'environ'));
  execFileSync('mkfifo', [join(directory, 'fifo')]);
  execFileSync(python, [
    '-c',
    'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
    join(directory, 'socket'),
  ]);
  const everything = await collected(directory, ['**', 'etc/passwd', 'real', 'target/x']);
  t.same(everything.files, { 'real/file': 'r', target: 't' });
  t.same(everything.not, {
    ...{ passwd: ELOOP, near: ELOOP, etc: ELOOP, environ: ELOOP, 'real/loop': ELOOP },
    ...{ fifo: EINVAL, socket: EINVAL },
  });
  t.same((await collected(directory, ['real', '*'])).not.real, EISDIR);
  t.same((await collected(directory, ['*'])).not.real, undefined);
  t.same((await collected(directory, ['target/x'])).not, { target: ENOTDIR });
});

const notRoot = process.getuid?.() === 0 ? false : 'needs root';
t.test('a device is not opened', { skip: notRoot }, async (t) => {
  const directory = tree(t);
  try {
    execFileSync('mknod', [join(directory, 'zero'), 'c', '1', '5'], { stdio: 'pipe' });
  } catch (error) {
    if (process.env.SCRIPTD_TEST_ALL) throw error;
    t.comment('mknod is not allowed here');
    return;
  }
  t.same((await collected(directory, ['zero'])).not, { zero: EINVAL });
});

t.test('a sparse file of 1 TB is over the cap, and costs no more than others', async (t) => {
  const directory = tree(t, { b: 'bb' });
  const fd = openSync(join(directory, 'a'), 'w');
  // tmpfs and ext4 can; where a filesystem can't the file is as large as it may be.
  for (const bytes of [2 ** 40, 2 ** 32]) {
    try {
      ftruncateSync(fd, bytes);
      break;
    } catch (error) {
      t.match(error, { code: 'EFBIG' });
    }
  }
  closeSync(fd);
  t.same(await collected(directory, ['**']), { files: { b: 'bb' }, not: { a: EFBIG } });
  t.same((await collected(directory, ['a'], { bytesMax: 2 ** 41 })).not, { a: EFBIG });
});

t.test('contents together keep to bytesMax, and files to filesMax', async (t) => {
  const directory = tree(t, { a: '12345', b: '12345', c: '12345' });
  const bytes = await collected(directory, ['a', 'b', 'c'], { bytesMax: 10 });
  t.same(bytes, { files: { a: '12345', b: '12345' }, not: { c: EFBIG } });
  const files = await collected(directory, ['a', 'b', 'c'], { filesMax: 1 });
  t.same(files, { files: { a: '12345' }, not: { b: EMFILE } });
  t.same((await collected(directory, ['a'], { filesMax: 0 })).not, { a: EMFILE });
});

t.test('100,000 files are searched; what is named is found among any number', async (t) => {
  const directory = tree(t);
  const program = `
import os, sys
os.chdir(sys.argv[1])
for i in range(100000): os.close(os.open('1' * 200 + str(i), os.O_CREAT | os.O_WRONLY))
open('wanted', 'w').write('w')`;
  execFileSync(python, ['-c', program, directory]);
  t.same(await collected(directory, ['w*d']), { files: { wanted: 'w' }, not: {} });
  const all = await collected(directory, ['**']);
  t.equal(Object.keys(all.files).length, enough.filesMax);
  t.same(Object.values(all.not), [EMFILE]);
  // The worst that patterns can do: it is given up, with what is named taken before.
  const slow = Array.from({ length: 60 }, (_, i) => `*${'1'.repeat(100)}x${i}`);
  t.same(await collected(directory, ['wanted', ...slow]), {
    files: { wanted: 'w' },
    not: { '.': E2BIG },
  });
});

t.test('10,000 nested directories are searched down to a bound', async (t) => {
  const directory = tree(t, { 'd/d/d/f': 'f' });
  const program = `
import os, sys
os.chdir(sys.argv[1])
for i in range(10000):
    os.makedirs('d', exist_ok=True)
    os.chdir('d')
open('f', 'w')`;
  execFileSync(python, ['-c', program, directory]);
  const before = openDescriptors();
  const { files, not } = await collected(directory, ['**/f']);
  t.same(files, { 'd/d/d/f': 'f' });
  t.same(Object.values(not), [ENAMETOOLONG]);
  t.same(openDescriptors(), before);
});

t.test('long names lead to no more than a path can hold', async (t) => {
  const directory = tree(t);
  const program = `
import os, sys
os.chdir(sys.argv[1])
for i in range(30):
    os.mkdir('n' * 255)
    os.chdir('n' * 255)
    open('f', 'w')`;
  execFileSync(python, ['-c', program, directory]);
  const { files, not } = await collected(directory, ['**/f']);
  t.equal(Object.keys(files).length, 15);
  t.same(Object.values(not), [ENAMETOOLONG]);
});

t.test('as an ordinary user: what has mode 000 is named and left', async (t) => {
  const directory = tree(t, { 'closed/f': '', secret: '', open: 'o' });
  chmodSync(join(directory, 'closed'), 0);
  chmodSync(join(directory, 'secret'), 0);
  const program = `
import { collectFrom } from ${JSON.stringify(join(packageRoot, 'dist/src/worker/collect.js'))};
if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
const order = { patterns: ['**'], filesMax: 10, bytesMax: 10 };
console.log(JSON.stringify((await collectFrom(3, order)).notCollected));`;
  const fd = openSync(directory, 'r');
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit', fd],
  });
  closeSync(fd);
  chmodSync(join(directory, 'closed'), 0o755);
  t.same(JSON.parse(said), [
    { name: 'closed', errno: 13 },
    { name: 'secret', errno: 13 },
  ]);
});

t.test('a name that is not UTF-8 is refused', async (t) => {
  const directory = tree(t);
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x61, 0xff])]), '');
  t.same((await collected(directory, ['*'])).not, { 'a\ufffd': EILSEQ });
});

t.test(
  'swapped for a link or a FIFO while it is read: never followed, never waited for',
  async (t) => {
    const directory = tree(t, { file: 'content', 'parked/x': '' });
    const swapper = new Worker(
      `
    const { parentPort, workerData: d } = require('node:worker_threads');
    const fs = require('node:fs'), { execFileSync } = require('node:child_process');
    fs.symlinkSync('/etc/passwd', d + '/link');
    execFileSync('mkfifo', [d + '/fifo']);
    fs.writeFileSync(d + '/other', 'content');
    parentPort.postMessage('ready');
    for (;;) for (const name of ['link', 'other', 'fifo', 'other']) {
      fs.linkSync(d + '/' + name, d + '/next'); fs.renameSync(d + '/next', d + '/file');
    }`,
      { eval: true, workerData: directory },
    );
    await new Promise((resolve) => swapper.once('message', resolve));
    const seen = new Set<string | number>();
    for (let i = 0; i < 3000 || !seen.has('content') || !seen.has(ELOOP); i++) {
      const { files, not } = await collected(directory, ['file']);
      const what = files.file ?? not.file ?? ENOENT;
      seen.add(what);
      if (!['content', ELOOP, EINVAL, ENOENT, EPERM].includes(what)) t.fail(`got ${what}`);
    }
    await swapper.terminate();
    t.pass([...seen].join());
  },
);

t.test('a directory swapped for a link leads nowhere', async (t) => {
  const directory = tree(t, { 'd/passwd': 'mine', 'e/passwd': 'mine' });
  symlinkSync('/etc', join(directory, 'link'));
  const swapper = new Worker(
    `
    const { parentPort, workerData: d } = require('node:worker_threads');
    const fs = require('node:fs');
    parentPort.postMessage('ready');
    for (;;) {
      fs.renameSync(d + '/d', d + '/away'); fs.renameSync(d + '/link', d + '/d');
      fs.renameSync(d + '/d', d + '/link'); fs.renameSync(d + '/away', d + '/d');
    }`,
    { eval: true, workerData: directory },
  );
  await new Promise((resolve) => swapper.once('message', resolve));
  let taken = 0;
  for (let i = 0; i < 3000 || taken === 0; i++) {
    const { files } = await collected(directory, ['d/passwd']);
    for (const content of Object.values(files)) {
      taken++;
      if (content !== 'mine') t.fail(content);
    }
  }
  await swapper.terminate();
  t.pass(`${taken} times it was there`);
});

t.test('a file that grows while it is read is cut, and not taken as whole', async (t) => {
  const directory = tree(t, { other: '' });
  const size = 8 * 2 ** 20;
  writeFileSync(join(directory, 'growing'), Buffer.alloc(size));
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const writer = new Worker(
    `
    const { parentPort, workerData: { directory, shared } } = require('node:worker_threads');
    const fs = require('node:fs');
    const fd = fs.openSync(directory + '/growing', 'a');
    parentPort.postMessage('ready');
    while (Atomics.load(shared, 0) === 0) fs.writeSync(fd, 'x');`,
    { eval: true, workerData: { directory, shared } },
  );
  await new Promise((resolve) => writer.once('message', resolve));
  const order = { patterns: ['growing', 'other'], filesMax: 9, bytesMax: 2 ** 30 };
  let { files, notCollected } = await collectFrom(directory, order);
  // Where the writer had no processor meanwhile it did not grow, and was taken rightly.
  while (notCollected.length === 0) ({ files, notCollected } = await collectFrom(directory, order));
  Atomics.store(shared, 0, 1);
  await new Promise((resolve) => writer.once('exit', resolve));
  t.same(notCollected, [{ name: 'growing', errno: 16 }]);
  t.same(
    files.map(({ name }) => name),
    ['other'],
  );
});

t.test('hard links are files like others', async (t) => {
  const directory = tree(t, { a: 'a' });
  linkSync(join(directory, 'a'), join(directory, 'b'));
  t.same((await collected(directory, ['*'])).files, { a: 'a', b: 'a' });
});

t.test('a directory that is none is refused', async (t) => {
  const directory = tree(t, { file: '' });
  symlinkSync('.', join(directory, 'link'));
  const order = { ...enough, patterns: ['*'] };
  await t.rejects(collectFrom(join(directory, 'none'), order), { code: 'ENOENT' });
  await t.rejects(collectFrom(join(directory, 'file'), order), { code: 'ENOTDIR' });
  await t.rejects(collectFrom(join(directory, 'link'), order), { code: 'ENOTDIR' });
  await t.rejects(collectFrom(-1, order), { code: 'EBADF' });
  renameSync(join(directory, 'file'), join(directory, 'renamed'));
});

t.test('patterns that lead elsewhere are refused, each with its reason', async (t) => {
  const wrong = {
    ...{ '': 'is empty', '/a': 'is not relative', 'a/../b': 'leads out', '..': 'leads out' },
    ...{ 'a//b': 'empty component', 'a/': 'empty component', 'a/./b': 'component "."' },
    ...{ 'a\0b': 'NUL', ['x'.repeat(1025)]: 'longer than 1024' },
  };
  for (const [pattern, reason] of Object.entries(wrong)) {
    t.throws(() => checkPattern(pattern), { code: 'EINVAL', message: new RegExp(reason) });
    t.throws(() => encodeCollectOrder({ ...enough, patterns: [pattern] }), { code: 'EINVAL' });
  }
  for (const pattern of ['a', 'a/b', '.a', '...', '**', 'a*b/?', '..a', 'é']) checkPattern(pattern);
  const deep = 'a/'.repeat(500);
  checkPatterns([`${deep}a`]);
  t.throws(() => checkPatterns([`${deep}a`, `${deep}b`, `${deep}c`]), { code: 'EINVAL' });
});

t.test('whatever patterns are accepted, the core takes them too', async (t) => {
  const directory = tree(t, { a: 'a' });
  const component = fc.stringMatching(/^[a*?.]{1,8}$/);
  const pattern = fc.array(component, { minLength: 1, maxLength: 5 }).map((p) => p.join('/'));
  await fc.assert(
    fc.asyncProperty(fc.array(pattern, { maxLength: 64 }), async (patterns) => {
      try {
        checkPatterns(patterns);
      } catch {
        return; // refused, as the test above wants it
      }
      const { files } = await collectFrom(directory, { ...enough, patterns });
      t.ok(files.length <= 1);
    }),
    { numRuns: 200 },
  );
});

t.test('records that break off, or are garbage, give what was whole before', (t) => {
  const record = (kind: string, name: string, number: number, content = '') => {
    const head = Buffer.alloc(9, kind);
    head.writeUInt32LE(name.length, 1);
    head.writeUInt32LE(number, 5);
    return Buffer.concat([head, Buffer.from(name), Buffer.from(content)]);
  };
  const whole = Buffer.concat([record('C', 'b', 2, 'xy'), record('N', 'a', 5)]);
  const read = {
    files: [{ name: 'b', content: Buffer.from('xy') }],
    notCollected: [{ name: 'a', errno: 5 }],
  };
  t.same(readCollected(whole), read);
  for (let size = 0; size < whole.length; size++) {
    const { files, notCollected } = readCollected(whole.subarray(0, size));
    t.equal(files.length, size >= 12 ? 1 : 0);
    t.equal(notCollected.length, 0);
  }
  t.same(readCollected(Buffer.concat([whole, Buffer.from('X'.repeat(40))])), read);
  t.same(readCollected(Buffer.concat([whole, record('N', 'b', 16)])).files, []);
  t.end();
});
