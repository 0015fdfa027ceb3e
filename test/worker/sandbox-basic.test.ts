import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BasicPlan } from '../../src/worker/basic-plan.js';
import { startProcess } from '../../src/worker/sandbox.js';
import { addon } from '../../src/worker/sandbox-addon.js';
import {
  type Ended,
  finish,
  gone,
  openDescriptors,
  python,
  run,
  shell,
} from './sandbox-process.js';

const prefix = join(python, '..', '..');
const readOnly = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/etc/passwd', '/dev', prefix].filter(
  existsSync,
);
const root = process.getuid?.() === 0;
const uid = 70002;

const version = addon.landlockVersion();
/** Of tests that need a landlock of this version. */
const needs = (wanted: number) => ({
  skip: version >= wanted || process.env.SCRIPTD_TEST_ALL ? false : `landlock ${wanted}`,
});
const asRoot = { skip: root ? false : 'needs root' };

/** A directory for a run, and what is outside of it. */
function place(t: Test, owner = process.getuid?.() ?? 0): { work: string; secret: string } {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-basic-'));
  chmodSync(folder, 0o755);
  t.teardown(() => execFileSync('rm', ['-rf', folder]));
  const work = join(folder, 'work');
  mkdirSync(work);
  if (root) chownSync(work, owner, owner);
  const secret = join(folder, 'token');
  writeFileSync(secret, 'secret', { mode: 0o644 });
  return { work, secret };
}

async function basic(
  t: Test,
  script: string | string[],
  plan: Partial<BasicPlan> = {},
  env: Record<string, string> = {},
): Promise<Ended> {
  const { work, secret } = place(t, plan.uid);
  const program = typeof script === 'string' ? {} : { file: script[0] ?? '', argv: script };
  return await run(
    shell(typeof script === 'string' ? script : '', {
      ...program,
      cwd: work,
      env: { PATH: '/usr/bin:/bin', WORK: work, SECRET: secret, ...env },
      basic: { landlock: 'if-available', readOnly, writable: [work, '/dev/null'], ...plan },
    }),
  );
}

async function inPython(
  t: Test,
  program: string,
  plan: Partial<BasicPlan> = {},
  env: Record<string, string> = {},
): Promise<unknown> {
  const { stdout, stderr, signal } = await basic(t, [python, '-c', program], plan, env);
  if (stdout === '') throw new Error(stderr || signal);
  return JSON.parse(stdout);
}

t.test('it runs in its directory, and its result comes back', async (t) => {
  const { stdout, stderr, exitCode } = await basic(t, 'pwd; echo $WORK; : >x; ls; exit 7');
  const [cwd, work, ...rest] = stdout.trim().split('\n');
  t.equal(cwd, work);
  t.same(rest, ['x']);
  t.same({ stderr, exitCode }, { stderr: '', exitCode: 7 });
});

t.test('it has no capability and no way to gain one, also as root', async (t) => {
  // Executed once more, which is when root would get them back.
  const { stdout } = await basic(t, 'sh -c "cat /proc/self/status"', {
    readOnly: [...readOnly, '/proc'],
  });
  for (const set of ['Inh', 'Prm', 'Eff', 'Amb'])
    t.match(stdout, new RegExp(`^Cap${set}:\\s0+$`, 'm'));
  if (root) t.match(stdout, /^CapBnd:\s0+$/m);
  t.match(stdout, /^NoNewPrivs:\s1$/m);
  t.match(stdout, /^Seccomp:\s2$/m);
  t.match(stdout, new RegExp(`^Uid:\\s${process.getuid?.()}\\s`, 'm'));
});

t.test('as root without capabilities it can do none of what root can', asRoot, async (t) => {
  const program = `
import ctypes, json, os
def attempt(call, *arguments):
    try: call(*arguments); return 'done'
    except OSError as error: return error.errno
open('f', 'w')
print(json.dumps([attempt(os.chown, 'f', 1, 1), attempt(os.setuid, 1), attempt(os.setgroups, []),
  attempt(os.mknod, 'd', 0o020666, 0x103), attempt(os.setpriority, os.PRIO_PROCESS, 0, -20),
  attempt(os.chroot, '.'), attempt(__import__('socket').sethostname, 'x')]))`;
  t.same(await inPython(t, program), [1, 1, 1, 1, 13, 1, 1]);
});

t.test('ids of its own', asRoot, async (t) => {
  const plan = { uid, gid: uid, readOnly: [...readOnly, '/proc'] };
  const { stdout, stderr } = await basic(t, 'id -u; id -g; id -G; : >mine; stat -c %u mine', plan);
  t.equal(stdout, `${uid}\n${uid}\n${uid}\n${uid}\n`, stderr);
  const { stdout: status } = await basic(t, 'cat /proc/self/status', plan);
  for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'])
    t.match(status, new RegExp(`^Cap${set}:\\s0+$`, 'm'));
  // The start changed the ids of a process that shared our memory: it may be looked into as before.
  t.match(readFileSync('/proc/self/status', 'utf8'), /^CoreDumping:|^Name:/m);
  t.equal(dumpable(), 1);
});

t.test('killed with its worker, with ids of its own too', asRoot, async (t) => {
  const { work } = place(t, uid);
  const module = join(import.meta.dirname, 'sandbox-process.js');
  const plan = { landlock: 'if-available', readOnly, writable: [work], uid, gid: uid };
  const program = `
import { startProcess } from ${JSON.stringify(join(import.meta.dirname, '../../src/worker/sandbox.js'))};
import { shell } from ${JSON.stringify(module)};
const { pid } = startProcess(shell('exec sleep 1000', { cwd: '${work}', basic: ${JSON.stringify(plan)} }));
process.stdout.write(pid + '\\n');
setInterval(() => undefined, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  await gone(Number(line));
  t.pass('it is gone');
});

t.test('files outside of what it is given can be neither read nor written', needs(1), async (t) => {
  const { stdout } = await basic(
    t,
    `cat $SECRET && echo read
    ( : >$SECRET ) && echo wrote; ( : >$WORK/../new ) && echo made; rm $SECRET && echo removed
    ( : >/usr/new ) && echo usr; ( : >/dev/new ) && echo dev; ls /root && echo listed
    ln $SECRET $WORK/link && echo linked; mv $SECRET $WORK/moved && echo moved
    ln -s $SECRET $WORK/symlink && cat $WORK/symlink && echo followed
    cat /proc/${process.pid}/environ && echo environ; cat /etc/shadow && echo shadow
    : >$WORK/own && : >/dev/null && cat /etc/passwd >/dev/null && echo allowed`,
  );
  t.equal(stdout, 'allowed\n');
});

t.test('the worker can be neither looked into nor changed by /proc', needs(1), async (t) => {
  const { stdout } = await basic(
    t,
    `for file in environ mem maps auxv; do cat /proc/${process.pid}/$file | head -c 1; done
    readlink /proc/${process.pid}/fd/* /proc/${process.pid}/cwd
    ls /proc/${process.pid}/root/ /proc/${process.pid}/cwd/`,
    { readOnly: [...readOnly, '/proc'] },
  );
  t.equal(stdout, '');
});

t.test('no signal reaches the worker', needs(6), async (t) => {
  let signals = 0;
  const count = () => signals++;
  process.on('SIGUSR1', count);
  const { stderr, exitCode } = await basic(
    t,
    `kill -USR1 ${process.pid} && exit 5; kill -KILL ${process.pid}; kill -USR1 -${process.pid}; sleep 1 & kill $!; exit 6`,
  );
  process.off('SIGUSR1', count);
  t.equal(exitCode, 6, stderr);
  t.equal(signals, 0);
});

t.test('with ids of its own no signal reaches the worker either', asRoot, async (t) => {
  const { exitCode } = await basic(t, `kill -KILL ${process.pid} && exit 5; exit 6`, {
    uid,
    gid: uid,
  });
  t.equal(exitCode, 6);
});

t.test('an abstract socket of somebody else is out of reach', needs(6), async (t) => {
  const name = `scriptd-basic-${process.pid}`;
  const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind('\\0${name}'); s.listen(); print('ready', flush=True)
sys.stdin.read()`;
  const server = spawn(python, ['-c', listener], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  t.teardown(async () => {
    server.stdin.end();
    await once(server, 'close');
  });
  const program = `
import json, socket
s = socket.socket(socket.AF_UNIX)
mine = socket.socket(socket.AF_UNIX); mine.bind('\\0${name}-own'); mine.listen()
try: s.connect('\\0${name}'); result = 'connected'
except OSError as error: result = error.errno
other = socket.socket(socket.AF_UNIX); other.connect('\\0${name}-own')
print(json.dumps(result))`;
  t.equal(await inPython(t, program), 1);
});

t.test('landlock that is required and fails is reported, and nothing is left', async (t) => {
  const before = openDescriptors();
  const plan = { landlock: 'require', readOnly: ['/no/such/path'] } as const;
  await t.rejects(basic(t, 'true', plan), { code: 'ENOENT', syscall: 'landlock' });
  t.same(openDescriptors(), before);
});

t.test('the control pipe is there too, and nothing else', async (t) => {
  const { work } = place(t);
  const started = startProcess(
    shell('cat <&3; for fd in 0 1 2 3 4 5 6 7 8 9; do ( : <&$fd ) 2>/dev/null && echo $fd; done', {
      cwd: work,
      control: true,
      basic: { landlock: 'if-available', readOnly, writable: [work, '/dev/null'] },
    }),
  );
  const control = started.control ?? -1;
  writeSync(control, 'task\n');
  closeSync(control);
  t.equal((await finish(started)).stdout, 'task\n0\n1\n2\n3\n');
});

t.test('100 starts leave nothing', async (t) => {
  await basic(t, 'true');
  const before = openDescriptors();
  for (let i = 0; i < 100; i++) t.equal((await basic(t, 'exit 3')).exitCode, 3);
  t.same(openDescriptors(), before);
});

/** PR_GET_DUMPABLE of this process shows in who owns its files in /proc: root when it is 0. */
function dumpable(): number {
  const program = `import os, sys; print(int(os.stat('/proc/%d/environ' % os.getppid()).st_uid == 0))`;
  return Number(execFileSync(python, ['-c', program], { encoding: 'utf8' }));
}
