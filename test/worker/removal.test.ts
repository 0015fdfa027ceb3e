import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { removeTree } from '../../src/worker/removal.js';
import { openDescriptors, temporaryFolder } from './test-worker.js';

t.test(
  'a tree of files, links and special files goes, and nothing that links point to',
  async (t) => {
    const root = temporaryFolder(t);
    const kept = temporaryFolder(t);
    writeFileSync(join(kept, 'file'), 'precious');
    const tree = join(root, 'run');
    mkdirSync(join(tree, 'a', 'b'), { recursive: true });
    symlinkSync(kept, join(tree, 'link'));
    symlinkSync(join(kept, 'file'), join(tree, 'a', 'link'));
    symlinkSync('nowhere', join(tree, 'a', 'b', 'dangling'));
    execFileSync('mkfifo', [join(tree, 'fifo')]);
    for (let index = 0; index < 200; index++) writeFileSync(join(tree, 'a', `f${index}`), '');
    writeFileSync(Buffer.from(`${tree}/\xff\n`, 'latin1'), '');
    const before = openDescriptors();
    await removeTree(root, 'run');
    t.strictSame(readdirSync(root), []);
    t.strictSame(readdirSync(kept), ['file']);
    t.equal(openDescriptors(), before);
  },
);

t.test('a directory that the script has removed itself is nothing to complain of', async (t) => {
  const root = temporaryFolder(t);
  await removeTree(root, 'run');
  t.strictSame(readdirSync(root), []);
});

t.test('what somebody else removes meanwhile is nothing to complain of either', async (t) => {
  const root = temporaryFolder(t);
  const tree = join(root, 'run');
  mkdirSync(tree);
  for (let index = 0; index < 500; index++) writeFileSync(join(tree, `f${index}`), '');
  const removal = removeTree(root, 'run');
  // It has listed them all by then, and has removed the first.
  while (readdirSync(tree).length === 500) await setImmediate();
  for (const name of readdirSync(tree)) rmSync(join(tree, name), { force: true });
  await removal;
  t.strictSame(readdirSync(root), []);
});

t.test('a link in place of the directory is removed and not followed', async (t) => {
  const root = temporaryFolder(t);
  const kept = temporaryFolder(t);
  writeFileSync(join(kept, 'file'), 'precious');
  symlinkSync(kept, join(root, 'run'));
  await removeTree(root, 'run');
  t.strictSame(readdirSync(root), []);
  t.strictSame(readdirSync(kept), ['file']);
});

t.test('what earlier removals left are in nobody’s way', async (t) => {
  const root = temporaryFolder(t);
  const names = ['abc123-1', 'abc123-1.1', 'abc123-1.2'];
  for (const name of names) mkdirSync(join(root, name, 'a', 'b'), { recursive: true });
  await Promise.all(names.map((name) => removeTree(root, name)));
  t.strictSame(readdirSync(root), []);
});

t.test('what turns from a directory into something else, and back, goes too', async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, 'run'));
  const swaps = `
import os
make = lambda: open("x", "w").close()
steps = [lambda: os.mkdir("x"), lambda: os.rmdir("x"), lambda: os.symlink("/etc", "x"),
  lambda: os.unlink("x"), make, lambda: os.unlink("x")]
print(flush=True)
while True:
    for step in steps:
        try: step()
        except OSError: pass`;
  const child = spawn('python3', ['-c', swaps], { cwd: join(root, 'run') });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  setTimeout(() => child.kill('SIGKILL'), 60);
  await removeTree(root, 'run');
  child.kill('SIGKILL');
  await ended;
  t.strictSame(readdirSync(root), []);
});

t.test('directories nested deeper than a path can be go too', async (t) => {
  const root = temporaryFolder(t);
  mkdirSync(join(root, 'run'));
  // One name at a time: no path is ever that long.
  const nest = 'import os\nfor _ in range(3000): os.mkdir("dddd"); os.chdir("dddd")';
  execFileSync('python3', ['-c', nest], { cwd: join(root, 'run') });
  await removeTree(root, 'run');
  t.strictSame(readdirSync(root), []);
});

t.test(
  'what takes its permissions away from itself goes too, for a worker that is not root',
  async (t) => {
    const root = temporaryFolder(t);
    mkdirSync(join(root, 'run', 'a', 'b'), { recursive: true });
    writeFileSync(join(root, 'run', 'a', 'b', 'file'), '');
    execFileSync('sh', ['-c', 'chmod 000 a/b; chmod 000 a; chmod 000 .'], {
      cwd: join(root, 'run'),
    });
    const { pathname } = new URL('../../src/worker/removal.js', import.meta.url);
    const script = `import(${JSON.stringify(pathname)}).then((m) => m.removeTree(${JSON.stringify(root)}, 'run'))`;
    const user = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-all'] : [];
    const [file = '', ...args] = [...user, process.execPath, '-e', script];
    execFileSync(file, args);
    t.notOk(existsSync(join(root, 'run')));
  },
);
