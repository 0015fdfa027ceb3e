import t from 'tap';
import { type Evidence, judge, judgeQueued } from '../../src/worker/verdict.js';
import { defaultLimits } from './test-controller.js';

const limits = { ...defaultLimits, wallMs: 2000, cpuMs: 1500, outputBytes: 100, diskBytes: 1000 };

const evidence = (some: Partial<Evidence>): Evidence => ({
  cause: undefined,
  exitCode: undefined,
  signal: undefined,
  raised: undefined,
  runMs: 1000,
  startMs: 5,
  cpuMs: 10,
  outputBytes: { stdout: 0, stderr: 0 },
  limits,
  ...some,
});

const killed = { signal: 'SIGKILL' };

t.test('each piece of evidence has its verdict, code and sentence', async (t) => {
  const table: [string, Partial<Evidence>, string, string | undefined, string | undefined][] = [
    ['exit 0', { exitCode: 0 }, 'success', undefined, undefined],
    [
      'exit 3',
      { exitCode: 3 },
      'runtime_error',
      'EXIT_NONZERO',
      'The script ended with exit code 3.',
    ],
    [
      'exit 137 without a signal',
      { exitCode: 137, cpuMs: 5000 },
      'runtime_error',
      'EXIT_NONZERO',
      'The script ended with exit code 137 (a shell says so when SIGKILL ended its command).',
    ],
    [
      'a SIGKILL that the worker did not send',
      killed,
      'runtime_error',
      'SIGNALED',
      'The script was ended by SIGKILL, which the worker did not send.',
    ],
    [
      'SIGSEGV',
      { signal: 'SIGSEGV' },
      'runtime_error',
      'SIGNALED',
      'The script was ended by SIGSEGV.',
    ],
    [
      'SIGSYS',
      { signal: 'SIGSYS' },
      'runtime_error',
      'SYSCALL_DENIED',
      'The script was ended by SIGSYS, which the kernel sends for a system call that a filter ' +
        'denies: that of the sandbox ends programs for another architecture (32-bit, x32).',
    ],
    [
      'SIGXCPU with the time spent',
      { signal: 'SIGXCPU', cpuMs: 2004.4 },
      'runtime_error',
      'CPU_LIMIT',
      'The script used 2004 ms of processor time; its limit is 1500 ms, rounded up to whole seconds (limits.cpuMs).',
    ],
    [
      'SIGKILL with the time spent',
      { signal: 'SIGKILL', cpuMs: 3004 },
      'runtime_error',
      'CPU_LIMIT',
      'The script used 3004 ms of processor time; its limit is 1500 ms, rounded up to whole seconds (limits.cpuMs).',
    ],
    [
      'a SIGXCPU that the script sent itself',
      { signal: 'SIGXCPU', cpuMs: 20 },
      'runtime_error',
      'SIGNALED',
      'The script was ended by SIGXCPU.',
    ],
    [
      'a shell whose child spent the time',
      { exitCode: 152, cpuMs: 2010, limits: { ...limits, cpuMs: 2000 } },
      'runtime_error',
      'CPU_LIMIT',
      'The script used 2010 ms of processor time; its limit is 2000 ms (limits.cpuMs).',
    ],
    [
      'SIGXFSZ',
      { signal: 'SIGXFSZ' },
      'runtime_error',
      'DISK_LIMIT',
      'The script wrote a file beyond its limit of 1000 bytes (limits.diskBytes).',
    ],
    [
      'the wall limit',
      { ...killed, cause: { kind: 'wallLimit' }, runMs: 2003.2, cpuMs: 9000 },
      'runtime_error',
      'WALL_LIMIT',
      'The script ran for 2003 ms; its wall limit is 2000 ms (limits.wallMs).',
    ],
    [
      'too much output',
      {
        ...killed,
        cause: { kind: 'outputLimit', stream: 'stderr' },
        outputBytes: { stdout: 5, stderr: 164 },
      },
      'runtime_error',
      'OUTPUT_LIMIT',
      'The script wrote 164 bytes to stderr before it was ended; the limit is 100 bytes (limits.outputBytes).',
    ],
    [
      'an exception',
      { exitCode: 1, raised: { type: 'ZeroDivisionError', message: 'division by zero', line: 3 } },
      'runtime_error',
      'EXCEPTION',
      'The script raised ZeroDivisionError: division by zero (line 3).',
    ],
    [
      'an exception without message and line',
      { exitCode: 1, raised: { type: 'KeyboardInterrupt', message: '' } },
      'runtime_error',
      'EXCEPTION',
      'The script raised KeyboardInterrupt.',
    ],
    [
      'an exception over a limit',
      { exitCode: 1, raised: { type: 'OSError', message: '[Errno 27] File too large', line: 1 } },
      'runtime_error',
      'EXCEPTION',
      'The script raised OSError: [Errno 27] File too large (line 1). Its files are limited to 1000 bytes (limits.diskBytes).',
    ],
    [
      'cancelled by its caller',
      { ...killed, cause: { kind: 'cancelled', by: 'caller' } },
      'cancelled',
      'CANCELLED',
      'The task was cancelled after 1000 ms.',
    ],
    [
      'its client gone',
      { ...killed, cause: { kind: 'cancelled', by: 'client_gone' } },
      'cancelled',
      'CLIENT_GONE',
      'The client that waited for it went away after 1000 ms.',
    ],
    [
      'no longer current',
      { ...killed, cause: { kind: 'cancelled', by: 'stale' } },
      'cancelled',
      'CANCELLED',
      'The attempt was given up for a newer one after 1000 ms.',
    ],
    [
      'the deadline of the controller, the limit reached',
      { ...killed, cause: { kind: 'cancelled', by: 'deadline' }, runMs: 2600 },
      'runtime_error',
      'WALL_LIMIT',
      'The script ran for 2600 ms; its wall limit is 2000 ms (limits.wallMs).',
    ],
    [
      'the deadline of the controller, spent waiting for a slot',
      { ...killed, cause: { kind: 'cancelled', by: 'deadline' }, runMs: 600, startMs: 3000 },
      'internal_fail',
      'WORKER_BUSY',
      'The script waited 3000 ms in the worker to be started, and had run for 600 ms when the controller gave it up.',
    ],
    [
      'the worker going away',
      { ...killed, cause: { kind: 'shutdown' } },
      'network_fail',
      'WORKER_LOST',
      'The worker was shut down while the script ran, after 1000 ms.',
    ],
    [
      'an error of ours',
      { ...killed, cause: { kind: 'fault', message: 'x is undefined\nat y' } },
      'internal_fail',
      'INTERNAL',
      'The worker failed while it ran the script: x is undefined at y.',
    ],
  ];
  for (const [name, some, outcome, code, reason] of table) {
    const verdict = judge(evidence(some));
    t.strictSame([verdict.outcome, verdict.code, verdict.reason], [outcome, code, reason], name);
  }
});

t.test('a noted cause comes before an exit code of 0', async (t) => {
  const verdict = judge(evidence({ exitCode: 0, cause: { kind: 'wallLimit' }, runMs: 2001 }));
  t.equal(verdict.code, 'WALL_LIMIT');
});

t.test('a long message or type is quoted in part: the wire takes no longer reason', async (t) => {
  const long = 'x'.repeat(10_000);
  for (const raised of [
    { type: 'ValueError', message: long },
    { type: long, message: long },
    { message: long },
  ]) {
    const { reason } = judge(evidence({ exitCode: 1, raised }));
    t.ok((reason?.length ?? 0) < 1000);
  }
});

t.test('a message is quoted at the same cost whatever is in it', async (t) => {
  // Quadratic for a careless pattern; the test would never end.
  const message = `a${' '.repeat(5_000_000)}b`;
  t.match(judge(evidence({ exitCode: 1, raised: { message } })).reason, /^The script raised a +…/);
});

t.test('what never ran is cancelled, or was waited for too long', async (t) => {
  t.match(judgeQueued('caller', 5), { outcome: 'cancelled', code: 'CANCELLED' });
  t.match(judgeQueued('client_gone', 5), { outcome: 'cancelled', code: 'CLIENT_GONE' });
  t.match(judgeQueued('stale', 5), { outcome: 'cancelled', code: 'CANCELLED' });
  t.match(judgeQueued('deadline', 5), { outcome: 'internal_fail', code: 'WORKER_BUSY' });
});
