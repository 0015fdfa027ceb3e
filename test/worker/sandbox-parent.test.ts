// Starts from parents that are in an unusual state: Python brings itself into it and then executes
// node, which starts a process and reports as JSON.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { gone, processModule, python, sandboxModule } from './sandbox-process.js';

const imports = `
import { startProcess } from ${JSON.stringify(sandboxModule)};
import { reap } from ${JSON.stringify(join(dirname(sandboxModule), 'process-end.js'))};
import { children, openDescriptors, run, shell } from ${JSON.stringify(processModule)};
const { closeSync, openSync, readSync, writeFileSync, writeSync } = process.getBuiltinModule('fs');
`;

/** The command line of a node that runs `program` after Python ran `prelude` in its place. */
function command(prelude: string, program: string): [string, string[]] {
  const node = [process.execPath, '--input-type=module', '-e', imports + program];
  return [
    python,
    ['-c', `${prelude}\nimport os, sys\nos.execv(sys.argv[1], sys.argv[1:])`, ...node],
  ];
}

/** What the program printed, as JSON. */
function inParent(prelude: string, program: string): unknown {
  return JSON.parse(execFileSync(...command(prelude, program), { encoding: 'utf8' }));
}

/** A seccomp filter under which the system calls with these numbers answer `errno`. */
function hiding(numbers: number[], errno: number): string {
  return `
import ctypes, struct
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x50000, 0x7fff0000
numbers = ${JSON.stringify(numbers)}
program = [(0x20, 0, 0, 0)]  # load the number
program += [(0x15, len(numbers) - i, 0, n) for i, n in enumerate(numbers)]  # jump if equal
program += [(0x06, 0, 0, SECCOMP_RET_ALLOW), (0x06, 0, 0, SECCOMP_RET_ERRNO | ${errno})]
code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in program))
fprog = struct.pack('HxxxxxxP', len(program), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
assert libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, fprog, 0, 0) == 0, ctypes.get_errno()`;
}

// The same on every architecture.
const clone3 = 435;
const closeRange = 436;

const inheritable = `
import os
null = os.open('/dev/null', os.O_RDONLY)
for fd in (3, 100, 200, 1000): os.dup2(null, fd, inheritable=True)`;
const listDescriptors = `
const { stdout } = await run(shell('ls /proc/$$/fd'));
console.log(JSON.stringify(stdout));`;

t.test('no descriptor is inherited but 0, 1 and 2', async (t) => {
  t.equal(inParent(inheritable, listDescriptors), '0\n1\n2\n');
});

t.test('the same where close_range is hidden', async (t) => {
  // Old filters answer what they don't know with EPERM, not ENOSYS.
  const many = inheritable.replace('1000)', '*range(1000, 1500))');
  for (const errno of [38, 1]) {
    t.equal(inParent(hiding([closeRange], errno) + many, listDescriptors), '0\n1\n2\n');
  }
});

t.test('where clone3 is hidden, clone does the same', async (t) => {
  const program = `
const ended = await run(shell('cat /proc/self/status; exit 3'));
let code;
try { startProcess(shell('', { file: '/no/such/file' })) } catch (error) { code = error.code }
console.log(JSON.stringify({ ...ended, code, children: children() }));`;
  const result = inParent(hiding([clone3], 38), program) as Record<string, unknown>;
  t.match(result, { exitCode: 3, code: 'ENOENT', children: [] });
  t.match(result.stdout, /^SigBlk:\s+0+\nSigIgn:\s+0+\nSigCgt:\s+0+$/m);
});

t.test('a parent whose descriptors 0, 1 and 2 are closed', async (t) => {
  const report = join(t.testdir(), 'report');
  const program = `
const plan = shell('cat; echo err >&2; ls /proc/$$/fd', { stdin: 'pipe' });
for (const fd of [0, 1, 2]) closeSync(fd);
const started = startProcess(plan);
const { finish } = await import(${JSON.stringify(processModule)});
const { stdout, stderr, exitCode } = await finish(started, 'in\\n');
writeFileSync(${JSON.stringify(report)}, JSON.stringify({ stdout, stderr, exitCode }));`;
  execFileSync(...command('', program), { stdio: 'ignore' });
  t.same(JSON.parse(readFileSync(report, 'utf8')), {
    stdout: 'in\n0\n1\n2\n',
    stderr: 'err\n',
    exitCode: 0,
  });
});

t.test('a parent with few descriptors left: EMFILE, and none of them is lost', async (t) => {
  const program = `
const taken = [];
try { for (;;) taken.push(openSync('/dev/null', 'r')) } catch {}
const results = [];
for (let free = 1; free <= 7; free++) {
  closeSync(taken.pop());
  const before = openDescriptors().length;
  try {
    const { pid, pidfd, stdout, stderr } = startProcess(shell('read line'));
    for (const fd of [pidfd, stdout, stderr]) closeSync(fd);
    while (reap(pid) === undefined);
    results.push('started');
  } catch (error) {
    results.push(error.code);
  }
  if (openDescriptors().length !== before) results.push('lost');
}
console.log(JSON.stringify({ results, children: children() }));`;
  // Six are needed: /dev/null, two pipes and the pidfd.
  const limit = 'import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (64, 64))';
  t.same(inParent(limit, program), {
    results: [...Array(5).fill('EMFILE'), 'started', 'started'],
    children: [],
  });
});

t.test('a limit above the hard limit of a parent that may not raise it is lowered', async (t) => {
  const prelude = `
import ctypes, resource as r
r.setrlimit(r.RLIMIT_NOFILE, (256, 256))
PR_CAPBSET_DROP, CAP_SYS_RESOURCE = 24, 24
ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0)`;
  const program = `
const { stdout } = await run(shell('ulimit -Sn; ulimit -Hn', { limits: { openFiles: 1000 } }));
console.log(JSON.stringify(stdout));`;
  t.equal(inParent(prelude, program), '256\n256\n');
});

t.test('a process dies with its worker when that is killed by SIGKILL', async (t) => {
  const program = `
const { pid } = startProcess(shell('', { file: '/bin/sleep', argv: ['sleep', '1000'] }));
writeSync(1, pid + '\\n');
setInterval(() => undefined, 1000);`;
  const parent = spawn(...command('', program), { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(line);
  t.ok(pid > 1);
  t.equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'sleep\n', 'it runs');
  parent.kill('SIGKILL');
  await gone(pid);
});
