import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { startProcess } from '../../src/worker/sandbox.js';
import type { StrictPlan } from '../../src/worker/spawn-plan.js';
import { skip, strictPlan as strict } from './sandbox-plans.js';
import {
  closeAll,
  drained,
  ended,
  finish,
  processModule,
  sandboxModule,
  shell,
} from './sandbox-process.js';

/** An ordinary user's runs build their roots themselves. */
const rootOnly = process.getuid?.() === 0 ? skip : 'templates are for root only';

async function inside(script: string, overrides: Partial<StrictPlan> = {}): Promise<string> {
  const started = startProcess(shell(script, { strict: { ...strict, ...overrides } }));
  const [{ stdout, stderr }] = await Promise.all([finish(started), drained(started.status ?? -1)]);
  return stdout + stderr;
}

/** The mount namespaces that this process keeps for its runs. */
function templates(): string[] {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('mnt:[');
    } catch {
      return false; // the look's own
    }
  });
}

t.test('two runs at a time see nothing of each other', { skip }, async (t) => {
  const folders = '/work /tmp /dev/shm';
  const started = startProcess(
    shell(`for d in ${folders}; do : >$d/mine; done; readlink /proc/self/ns/mnt; read x`, {
      stdin: 'pipe',
      strict,
    }),
  );
  const { pid, pidfd, stdin = -1, stdout, stderr, status = -1 } = started;
  const first = new Socket({ fd: stdout, writable: false });
  const [itsMounts] = await once(first, 'data');
  const second = await inside(`ls ${folders}; readlink /proc/self/ns/mnt; cat /proc/*/cmdline`);
  t.notMatch(second, /mine|read x/);
  t.match(second, /mnt:/);
  t.notMatch(second, String(itsMounts));
  t.notMatch(second, readlinkSync('/proc/self/ns/mnt'));
  closeAll(stdin, stderr, status);
  first.destroy();
  closeSync(pidfd);
  await ended(pid);
  t.notMatch(await inside(`ls ${folders}`), 'mine');
});

t.test('what runs share cannot be written, whoever tries', { skip: rootOnly }, async (t) => {
  await inside('');
  const kept = templates();
  await inside('');
  t.same(templates(), kept, 'one for all runs with these paths');
  const places = '/ /dev /etc /work /tmp /dev/shm /proc /usr /usr/bin';
  const write = `for d in ${places}; do : >$d/left && echo wrote $d; done; ls -d /*`;
  // Without the sanitizers that this may run under: they need /proc.
  const env = { PATH: '/usr/bin:/bin' };
  // That of the probe has no shell.
  const [entered] = kept
    .map((fd) => ['nsenter', `--mount=/proc/${process.pid}/fd/${fd}`, 'bash', '-c', write])
    .map(([file = '', ...args]) => spawnSync(file, args, { encoding: 'utf8', env }))
    .filter(({ status }) => status === 0);
  if (!entered) throw new Error('there is no template that can be entered');
  // As root of the host, with every capability: the file systems themselves are read-only.
  t.notMatch(entered.stdout, /wrote/);
  t.equal(entered.stderr.match(/Read-only file system/g)?.length, places.split(' ').length);
  t.notMatch(entered.stdout, /\/(home|var|sys)$/m);
  t.match(
    await inside(
      'while read a b c d place flags rest; do echo $place $flags $rest; done </proc/self/mountinfo',
    ),
    /^\/ ro,.* - tmpfs \S+ ro/m,
  );
  t.notMatch(await inside(`ls ${places}`), 'left');
});

t.test('a script sees no mount but those of its own root', { skip }, async (t) => {
  const own = (await inside('cat /proc/self/mountinfo')).trim().split('\n').map(fields);
  const hosts = new Set(
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .map((line) => fields(line).id),
  );
  const known = strict.readOnly.map((path) => (typeof path === 'string' ? path : path.target));
  const mine = [
    '/proc',
    '/work',
    '/tmp',
    '/dev/shm',
    '/dev/null',
    '/dev/zero',
    '/dev/full',
    '/dev/random',
    '/dev/urandom',
  ];
  for (const { id, place } of own) {
    t.notOk(hosts.has(id), `${place} is no mount of the host`);
    const expected = [...known, ...mine].some(
      (path) => place === path || place.startsWith(`${path}/`),
    );
    t.ok(place === '/' || expected, place);
  }
  t.equal(own.filter(({ place }) => place === '/').length, 1);
  t.equal(own.filter(({ place }) => place === '/proc').length, 1);
  t.same(await inside('ls /../..'), await inside('ls /'));
});

t.test('what is below the directories of a run has a root of its own', { skip }, async (t) => {
  const folder = t.testdir({ a: 'text of a' });
  const readOnly = [...strict.readOnly, { source: folder, target: '/tmp/deep/er' }];
  const script = 'cat /tmp/deep/er/a; : >/tmp/x; ls /tmp; (: >/tmp/deep/er/a) 2>&1';
  t.match(await inside(script, { readOnly }), /^text of adeep\nx\n.*Read-only/);
});

t.test('a path that is replaced is noticed', { skip }, async (t) => {
  const folder = t.testdir({ file: 'old', folder: { name: 'old' } });
  const sources = ['file', 'folder'].map((name) => join(folder, name));
  const shown = sources.map((source, index) => ({ source, target: `/shown/${index}` }));
  const readOnly = [...strict.readOnly, ...shown];
  const look = () => inside('cat /shown/0 /shown/1/name', { readOnly });
  t.equal(await look(), 'oldold');
  writeFileSync(join(folder, 'new'), 'new');
  renameSync(join(folder, 'new'), join(folder, 'file'));
  renameSync(join(folder, 'folder'), join(folder, 'away'));
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'folder', 'name'), 'new');
  while ((await look()) !== 'newnew') await sleep(50);
  t.pass('within the time of a test');
});

t.test('nothing is left of a worker that has ended', { skip }, async (t) => {
  const before = templates();
  const program = `
const { parentPort } = require('node:worker_threads');
Promise.all([import(${JSON.stringify(sandboxModule)}), import(${JSON.stringify(processModule)})]).then(
  async ([{ startProcess }, { shell, finish }]) => {
    const started = startProcess(shell('exit 0', { strict: ${JSON.stringify(strict)} }));
    require('node:fs').closeSync(started.status);
    await finish(started);
    parentPort.postMessage('ran');
  });`;
  const worker = new Worker(program, { eval: true, trackUnmanagedFds: false });
  t.same(await once(worker, 'message'), ['ran']);
  await once(worker, 'exit');
  t.same(templates(), before);
});

/** Of a line of mountinfo, see proc(5). */
function fields(line: string): { id: string; place: string } {
  const [id = '', , , , place = ''] = line.split(' ');
  return { id, place };
}
