import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { freePort } from '../../bench/free-port.js';
import { Scriptd, type Task } from '../../src/client/index.js';
import { packageRoot } from '../../src/native.js';
import { closedUrl } from '../client/scripted.js';
import { begin, scriptd } from './scriptd.js';
import { Service, until } from './service.js';

const options = ['--workers', 'noop=4,bash=2', '--isolation', 'none'];
const service = await Service.start(t, options);
const cwd = service.dataDir;
const env = { SCRIPTD_URL: service.address };
const client = new Scriptd({ url: service.address });
const run = (...args: string[]) => scriptd(['bench', ...args], cwd, { env });

interface Figures {
  tasks: number;
  elapsedMs: number;
  tasksPerSecond: number;
  runTag: string;
  latencyMs: Record<string, number>;
  timelineMs: Record<string, Record<string, number>>;
  histogram: { toMs: number; tasks: number }[];
  [member: string]: unknown;
}

async function figuresOf(...args: string[]): Promise<Figures> {
  const { stdout, code, stderr } = await run('--json', ...args);
  if (code !== 0) throw new Error(`${code}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

async function tagged(tag: string): Promise<Task[]> {
  const found: Task[] = [];
  for await (const task of client.list({ tag })) found.push(task);
  return found;
}

/** `scriptd bench` on a terminal of so many columns; what it shows is in `shown`. */
function onTerminal(t: Test, columns: number, args: string[], more: Record<string, string> = {}) {
  const program = [join(packageRoot, 'test', 'cli', 'terminal.py'), `${columns}`, '24'];
  const command = ['env', '-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), 'bench'];
  const child: ChildProcess = spawn('python3', [...program, ...command, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm', ...env, ...more },
  });
  const terminal = { child, shown: '' };
  child.stdout?.setEncoding('utf8').on('data', (drawn: string) => {
    terminal.shown += drawn;
  });
  t.teardown(() => child.kill('SIGKILL'));
  return terminal;
}

t.test(
  'without being told anything it says what it did, how fast, and where the time went',
  async (t) => {
    const { code, stdout, stderr } = await run('--tasks', '60');
    t.equal(code, 0, stderr);
    t.match(stdout, `${service.address}  type noop: no script: a worker answers at once\n`);
    t.match(stdout, /\n60 tasks, 8 requests in flight, a task in each\n/);
    t.match(stdout, /\n60 tasks in [\d.]+m?s: [\d.,]+ tasks\/s, all succeeded\n/);
    t.match(stdout, /\nlatency {2}p50 \S+ {2}p90 \S+ {2}p99 \S+ {2}p99.9 \S+ {2}max \S+\n/);
    t.match(stdout, /\n +≤ \S+ +\d+ +[\d.]+ % #+\n/);
    t.match(stdout, /\nPHASE +P50 +P99 +WHERE THE TIME GOES\nqueued +/);
    t.notOk(stdout.includes('\x1b'), 'plain where it is no terminal');
    t.ok(stdout.split('\n').every((line) => line.length <= 80));
    const tag = /list --tag (bench-[0-9a-f]{8}) /.exec(stdout)?.[1] ?? '';
    const tasks = await tagged(tag);
    t.equal(tasks.length, 68, 'all can be found again, those before it too');
    t.ok(tasks.every(({ tags, outcome }) => tags[0] === 'bench' && outcome === 'success'));
  },
);

t.test('the figures as JSON, and that they fit together', async (t) => {
  const figures = await figuresOf('--tasks', '50', '--warm-up', '0', '--tag', 'mine');
  t.match(figures, {
    ...{ url: service.address, type: 'noop', clients: 8, batch: null, ratePerSecond: null },
    ...{
      warmUp: 0,
      interrupted: false,
      tasks: 50,
      succeeded: 50,
      failed: 0,
      ends: [],
      retries: {},
    },
    tags: ['mine', 'bench', figures.runTag],
  });
  const { latencyMs: ms, timelineMs, histogram, tasksPerSecond, elapsedMs } = figures;
  const ascending = ['min', 'p50', 'p90', 'p99', 'p999', 'max'].map((name) => ms[name] ?? -1);
  t.same(
    ascending,
    [...ascending].sort((a, b) => a - b),
  );
  t.ok(ms.min !== undefined && ms.min > 0);
  t.equal(
    histogram.reduce((sum, { tasks }) => sum + tasks, 0),
    50,
  );
  t.ok(Math.abs((tasksPerSecond * elapsedMs) / 50_000 - 1) < 0.001);
  t.same(Object.keys(timelineMs), [
    'queued',
    'dispatch',
    'start',
    'run',
    'drain',
    'check',
    'around',
  ]);
  const means = Object.values(timelineMs).reduce((sum, phase) => sum + (phase.mean ?? 0), 0);
  t.ok(Math.abs(means - (ms.mean ?? 0)) < 0.05, `phases ${means}, latency ${ms.mean}`);
  t.equal((await tagged(figures.runTag)).length, 50);
});

t.test('a script of a file or of the command line, with what else a task has', async (t) => {
  writeFileSync(join(cwd, 'job.sh'), 'test "$A" = 1 && test "$(cat beside)" = x');
  writeFileSync(join(cwd, 'beside'), 'x');
  const more = ['--env', 'A=1', '--file', 'beside', '--tasks', '6', '--warm-up', '1'];
  const ran = await run('job.sh', ...more);
  t.match(ran, { code: 0, stdout: /type bash: job\.sh\n/ });
  t.match(await figuresOf('--code', '#!/bin/bash\nexit 0', '--tasks', '2'), { type: 'bash' });
  t.match(await run('--type', 'bash', '--tasks', '2'), { stdout: /type bash: echo 1\n/ });
});

t.test('batches: each task is told of, also in the last and smaller one', async (t) => {
  const figures = await figuresOf('--batch', '20', '--tasks', '130', '--clients', '3');
  t.match(figures, { batch: 20, tasks: 130, succeeded: 130, latencyMs: { p50: Number } });
  t.equal((await tagged(figures.runTag)).length, 138);
});

t.test('at a rate latency counts from when a task was due', async (t) => {
  const slow = ['--type', 'bash', '--code', 'sleep 0.2', '--clients', '1'];
  const ran = await figuresOf(...slow, '--rate', '20', '--tasks', '10', '--warm-up', '0');
  t.match(ran, { ratePerSecond: 20, tasks: 10, requestsMax: 1 });
  // One at a time: the tenth is due after 450 ms, and is sent after nine times 200 ms.
  t.ok((ran.timelineMs.late?.max ?? 0) >= 1_300, `${ran.timelineMs.late?.max} ms late`);
  t.ok((ran.latencyMs.max ?? 0) >= (ran.timelineMs.late?.max ?? 0));
  const said = await run(...slow, '--rate', '20', '--tasks', '5');
  t.match(said.stdout, /behind 20 tasks\/s, .*: all 1 requests \(--clients\) were in flight\n/);
});

t.test('--for ends it, and what is in flight by then is waited for', async (t) => {
  const figures = await figuresOf('--for', '1s', '--type', 'bash', '--code', 'sleep 0.3');
  t.ok(figures.elapsedMs >= 1_000);
  t.equal(figures.succeeded, figures.tasks);
  t.equal((await tagged(figures.runTag)).length, figures.tasks + 8);
});

t.test('tasks that fail are counted by what became of them, and it exits with 1', async (t) => {
  const { code, stdout, stderr } = await run('--type', 'bash', '--code', 'exit 3', '--tasks', '9');
  t.equal(code, 1);
  t.equal(stderr, 'scriptd: 9 of 9 tasks did not succeed\n');
  t.match(stdout, /, 9 did not succeed\n\nOUTCOME +CODE +TASKS +THE FIRST OF THEM\n/);
  t.match(stdout, /\nruntime_error +EXIT_NONZERO +9 +The script ended with exit code 3\.\n/);
});

t.test('what a script is, or does, reaches a terminal as text only', async (t) => {
  const terminal = onTerminal(
    t,
    60,
    ['--type', 'bash', '--code', 'exit 1 # \x1b]0;owned\x07', '--tasks', '5'],
    { NO_COLOR: '1' },
  );
  const [code] = await once(terminal.child, 'exit');
  t.equal(code, 1);
  t.match(terminal.shown, 'exit 1 # \\x1b]0;owned\\x07');
  t.notOk(terminal.shown.includes('\x1b]0'));
  t.notMatch(terminal.shown, new RegExp(`${String.fromCharCode(0x1b)}\\[\\d+m`), 'no colour');
});

t.test('on a terminal it is drawn while it runs, within its width', async (t) => {
  const terminal = onTerminal(t, 50, ['--type', 'bash', '--code', 'sleep 0.1', '--tasks', '30']);
  const [code] = await once(terminal.child, 'exit');
  t.equal(code, 0);
  const lines = terminal.shown.split('\r\x1b[K').filter((line) => line.startsWith('running '));
  t.ok(lines.length > 2, `${lines.length} times`);
  for (const line of lines) t.ok(line.split('\x1b')[0]?.length ?? 0 <= 50, line);
  t.match(terminal.shown, /█.* \d+ {2}[\d.]+\/s {2}p50/);
  const bars = terminal.shown.split('\n').filter((line) => line.includes('≤'));
  const styles = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;]*m|\\r`, 'g');
  t.ok(bars.length > 0);
  for (const line of bars) t.ok(line.replace(styles, '').length <= 50, line);
});

t.test('Ctrl-C: no more is sent, and what was measured is printed', async (t) => {
  const args = [
    'bench',
    '--type',
    'bash',
    '--code',
    'sleep 0.2',
    '--for',
    '10m',
    '--tag',
    'ctrl-c',
  ];
  const child = begin(args, cwd, { env });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  await until('some have ended', async () => {
    const tasks = await tagged('ctrl-c');
    return tasks.filter(({ state }) => state === 'finished').length > 12;
  });
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  t.equal(code, 130);
  t.match(await stderr, /^scriptd: sent no more; \d tasks? in flight, once more cancels them\n$/);
  t.match(await stdout, /, all succeeded, interrupted\n/);
  const tasks = await tagged('ctrl-c');
  t.ok(
    tasks.every(({ outcome }) => outcome === 'success'),
    'what was in flight has ended',
  );
});

t.test('Ctrl-C before anything was measured says so', async (t) => {
  const args = ['bench', '--type', 'bash', '--code', 'sleep 1', '--tag', 'early'];
  const child = begin(args, cwd, { env });
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  await until('it warms up', async () => (await tagged('early')).length > 0);
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  t.equal(code, 130);
  t.match(await stderr, /\nscriptd: interrupted before anything was measured\n$/);
  t.notMatch(await stdout, /tasks\/s/);
});

t.test('Ctrl-C once more cancels what is in flight, wherever it is', async (t) => {
  const args = [
    'bench',
    '--code',
    'sleep 300',
    '--type',
    'bash',
    '--warm-up',
    '0',
    '--tag',
    'long',
  ];
  const child = begin(args, cwd, { env });
  const stdout = text(child.stdout);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  await until('all are there', async () => (await tagged('long')).length === 8);
  child.kill('SIGINT');
  await until('the first is heard', () => /sent no more/.test(said));
  // Signals that follow at once are taken for the same one.
  await new Promise((resolve) => setTimeout(resolve, 600));
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  t.equal(code, 130);
  t.match(said, /sent no more; 8 tasks in flight.*\n.*cancelling 8 tasks/);
  t.match(await stdout, /\ncancelled +CANCELLED +8 /);
  t.notMatch(await stdout, /latency/, 'those say nothing of how long a task takes');
  t.same(new Set((await tagged('long')).map(({ outcome }) => outcome)), new Set(['cancelled']));
});

t.test('a wrong command line is told of before anything is sent', async (t) => {
  const cases: [string[], RegExp][] = [
    [['--type', 'x\x1b[2J'], /--type x\\x1b\[2J: .* no such type; there are: bash, noop \(BAD_OPT/],
    [['--tasks', '0'], /--tasks.*It must be a whole number from 1 to/],
    [['--for', '10'], /--for.*Write 30s, 5m or 2h/],
    [['--rate', '0'], /--rate.*It must be above 0/],
    [['--batch', '257'], /--batch.*from 1 to 256/],
    [['missing.sh'], /missing\.sh cannot be read/],
    [['job.sh', '--code', 'x'], /--code and FILE do not go together/],
  ];
  for (const [args, stderr] of cases) t.match(await run(...args), { code: 64, stdout: '', stderr });
  const refused = await run('--limit', 'wallMs=0');
  t.match(refused, { code: 1, stderr: /^scriptd: .*limits\.wallMs.*\(INVALID_FIELD\)\n$/ });
  const nobody = await scriptd(['bench', '--url', await closedUrl()], cwd);
  t.match(nobody, { code: 69, stdout: '', stderr: /SERVICE_UNREACHABLE/ });
});

t.test('a paused type is told of, and waited for', async (t) => {
  await client.pause('bash');
  const child = begin(['bench', '--type', 'bash', '--tasks', '3'], cwd, { env });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  await until('it is said', () => /type bash is paused: its tasks wait/.test(said));
  await client.resume('bash');
  const [code] = await once(child, 'exit');
  t.equal(code, 0, said);
});

t.test('a service that wants to be asked later is, and that is counted', async (t) => {
  const file = join(cwd, 'tokens');
  const rights = ['--scopes', 'submit', '--rate', '10', '--burst', '5'];
  const made = await scriptd(
    ['token', 'create', '--token-file', file, '--name', 'b', ...rights],
    cwd,
  );
  t.equal(made.code, 0, made.stderr);
  const guarded = await Service.start(t, [...options, '--token-file', file]);
  const given = { env: { SCRIPTD_URL: guarded.address, SCRIPTD_TOKEN: made.stdout.trim() } };
  const args = ['bench', '--type', 'noop', '--tasks', '20', '--warm-up', '0'];
  const { code, stdout, stderr } = await scriptd(args, cwd, given);
  t.equal(code, 0, stderr);
  t.match(stdout, /20 tasks in .*all succeeded\n/);
  t.match(stdout, /\nsent again after: \d+ RATE_LIMITED; waits of up to \S+ are in the latency\n/);
  const untold = await scriptd(['bench'], cwd, given);
  t.match(untold, { code: 64, stderr: /the token may not ask which types there are: give --type/ });
});

t.test('a service that goes away: what was measured is printed, and why it ended', async (t) => {
  // Nobody is given its port by chance, once it is free.
  const leaving = await Service.start(t, [...options, `--port=${await freePort()}`]);
  const args = ['bench', '--for', '10m', '--tag', 'away', '--url', leaving.address];
  const child = begin(args, cwd);
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const there = new Scriptd({ url: leaving.address });
  await until('some have ended', async () => {
    let ended = 0;
    for await (const { state } of there.list({ tag: 'away' })) if (state === 'finished') ended++;
    return ended > 20;
  });
  process.kill(leaving.child.pid ?? 0, 'SIGKILL');
  leaving.kill();
  const [code] = await once(child, 'exit');
  t.equal(code, 69);
  t.match(await stdout, /\d+ tasks in .*, \d+ did not succeed\n/);
  t.match(await stdout, /\nunanswered +SERVICE_UNREACHABLE +\d/);
  t.match(await stdout, /\nlatency /);
  t.match(await stderr, /^scriptd: no scriptd answers at .*\(SERVICE_UNREACHABLE\)\n$/);
});
