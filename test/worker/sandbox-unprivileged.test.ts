import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { initExecutable, packageRoot } from '../../src/native.js';
import { attacksOnFirst } from './attacks.js';

/**
 * Levels basic and strict for an ordinary user, by a process that is one. It needs a copy of us that
 * it can reach: a checkout may lie where only root comes.
 */
const nobody = 65534;
const folder = mkdtempSync(join(tmpdir(), 'scriptd-unprivileged-'));
chmodSync(folder, 0o755);
t.teardown(() => execFileSync('rm', ['-rf', folder]));
cpSync(join(packageRoot, 'dist', 'src'), join(folder, 'dist', 'src'), { recursive: true });
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
const native = join(folder, 'native');
cpSync(dirname(initExecutable()), native, { recursive: true, filter: (path) => !/obj/.test(path) });
const work = join(folder, 'work');
mkdirSync(work, { mode: 0o777 });
chmodSync(work, 0o777);
writeFileSync(join(folder, 'token'), 'secret', { mode: 0o644 });
execFileSync('chmod', ['-R', 'a+rX', folder]);

interface Result {
  stdout: string;
  stderr: string;
  /** What the status channel said, of a strict start. */
  status?: { kind: string; exitCode?: number; step?: string };
  /** The start's own failure. */
  error?: { code: string; syscall: string; message: string };
}

/** Runs `sh -c script` at that level, started by uid 65534, or by us where we aren't root. */
function unprivileged(level: 'basic' | 'strict', script: string, asked = {}): Result {
  const readOnly = ['/usr', '/bin', '/sbin', '/lib', '/lib64'].filter(existsSync);
  const capacity = { bytes: 2 ** 20, inodes: 64 };
  const plans = {
    basic: { landlock: 'if-available', readOnly, writable: [work, '/dev/null'], ...asked },
    strict: {
      ...{ uid: 70004, gid: 70004, readOnly, files: [], network: 'none', cgroup: {} },
      ...{ directory: capacity, tmp: capacity, shm: capacity, landlock: 'if-available' },
    },
  };
  const plan = {
    ...{ file: '/bin/sh', argv: ['sh', '-c', script], env: { PATH: '/usr/bin:/bin:/usr/sbin' } },
    ...{ cwd: work, stdin: 'null', limits: {}, [level]: plans[level] },
  };
  const program = `
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
const { startProcess } = await import('${folder}/dist/src/worker/sandbox.js');
const { readStatus, reap } = await import('${folder}/dist/src/worker/process-end.js');
async function drained(fd) {
  const chunks = [];
  for await (const chunk of new Socket({ fd, writable: false })) chunks.push(chunk);
  return Buffer.concat(chunks);
}
try {
  const { pid, pidfd, stdout, stderr, status } = startProcess(${JSON.stringify(plan)});
  const [out, err, said] = await Promise.all([stdout, stderr, status].map((fd) => fd && drained(fd)));
  while (!reap(pid)) await new Promise((resolve) => setTimeout(resolve, 1));
  closeSync(pidfd);
  const result = { stdout: String(out), stderr: String(err), status: said && readStatus(said) };
  console.log(JSON.stringify(result));
} catch (error) {
  const { code, syscall, message } = error;
  console.log(JSON.stringify({ stdout: '', stderr: '', error: { code, syscall, message } }));
}`;
  const ids = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  // The test runner adds to the environment of what a test starts.
  const kept = ['LD_PRELOAD', 'ASAN_OPTIONS', 'LSAN_OPTIONS', 'UBSAN_OPTIONS'].flatMap((name) =>
    process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`],
  );
  const clean = ['-i', ...kept, `SCRIPTD_NATIVE_DIR=${native}`, process.execPath];
  const { stdout, stderr, error } = spawnSync(
    '/usr/bin/env',
    [...clean, '--input-type=module', '-e', program],
    { encoding: 'utf8', cwd: '/', ...ids },
  );
  if (error) throw error;
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Result;
}

const { error, status } = unprivileged('strict', 'true');
const why = error?.message ?? (status?.kind === 'failed' ? `failed at ${status.step}` : '');
const skip = why === '' || process.env.SCRIPTD_TEST_ALL ? false : why;

t.test('strict: its own processes, its own root, its ids', { skip }, async (t) => {
  const { stdout, stderr } = unprivileged(
    'strict',
    `echo $$ /proc/[0-9]*; id -u; pwd; ls / | tr '\\n' ' '; echo
    grep -c . /proc/net/dev; ls /proc/$$/fd >/dev/null; cat /proc/self/status`,
  );
  const [processes, uid, cwd, root, network] = stdout.split('\n');
  t.match(processes, /^2 \/proc\/1 \/proc\/2\b/, stderr);
  t.same([uid, cwd, network], ['70004', '/work', '3'], stderr);
  t.notMatch(root, /root|home|var|sys/);
  for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
    t.match(stdout, new RegExp(`^Cap${set}:\\s0+$`, 'm'));
  t.match(stdout, /^NoNewPrivs:\s1$/m);
  t.match(stdout, /^Seccomp:\s2$/m);
});

for (const level of ['basic', 'strict'] as const) {
  t.test(
    `${level}: hostile scripts get nothing`,
    { skip: level === 'strict' && skip },
    async (t) => {
      const { stdout, stderr } = unprivileged(
        level,
        `for path in ${folder}/token /etc/shadow /proc/1/environ /proc/${process.pid}/environ \
        /proc/$PPID/environ /proc/$PPID/mem /proc/$PPID/root/etc/passwd; do
        cat $path >/dev/null && echo read $path
      done
      for path in /usr /etc /dev / ${folder}/token /proc/sys/kernel/core_pattern; do
        ( : >$path/x ) && echo wrote $path; ( : >$path ) && echo wrote $path
      done
      unshare -r true && echo unshared; unshare -m true && echo mounts
      mount -t tmpfs none /mnt && echo mounted; chroot / true && echo chrooted
      chown 0 . && echo chowned; su -c true && echo su
      kill -KILL ${process.pid} && echo killed
      ${level === 'strict' ? attacksOnFirst : ''}
      echo end`,
      );
      t.equal(stdout, 'end\n', stderr);
    },
  );
}

t.test(
  'strict: what it leaves behind is dead, and it can neither kill nor read its init',
  { skip },
  async (t) => {
    const result = unprivileged(
      'strict',
      'setsid sleep 1000 & kill -KILL 1; cat /proc/1/environ; exit 3',
    );
    t.equal(result.stdout, '');
    t.match(result.status, { kind: 'ended', exitCode: 3 });
  },
);

t.test('strict: space and files are capped', { skip }, async (t) => {
  const { stdout, stderr } = unprivileged(
    'strict',
    `head -c 2000000 /dev/zero >big; stat -c %s big; rm big
    i=0; while [ $i -lt 100 ] && (: >$i) 2>/dev/null; do i=$((i+1)); done; [ $i -lt 100 ] && echo few`,
  );
  t.equal(stdout, `${2 ** 20}\nfew\n`, stderr);
});

t.test('basic: no capability, no_new_privs, a filter', async (t) => {
  const { stdout, stderr } = unprivileged('basic', ': >own && echo own; id -u; ulimit -c');
  t.equal(stdout.split('\n')[0], 'own', stderr);
  t.equal(stdout.split('\n')[2], '0', 'no core dumps');
});

t.test('basic: ids that the worker may not take are refused', async (t) => {
  const { error } = unprivileged('basic', 'true', { uid: 70_004, gid: 70_004 });
  t.match(error, { code: 'EPERM', syscall: 'identity' });
});
