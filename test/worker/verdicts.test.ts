import t from 'tap';
import { limits as maxima } from '../../src/limits.js';
import { eventually, isAlive, startRig } from './test-worker.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

t.test('python: an exception, an exit code, and a script that does not compile', async (t) => {
  const { controller } = await startRig(t, 'python');
  const raised = await controller.run({ code: 'print("before")\n\n1/0' });
  t.match(raised, { outcome: 'runtime_error', code: 'EXCEPTION', exitCode: 1 });
  t.equal(raised.reason, 'The script raised ZeroDivisionError: division by zero (line 3).');
  t.equal(text(raised.stdout), 'before\n');
  t.match(
    text(raised.stderr),
    /^Traceback .*\n {2}File ".*script\.py", line 3, in <module>\n {4}1\/0\n/,
  );
  const broken = await controller.run({ code: 'x = = 1' });
  t.match(broken, { code: 'EXCEPTION', reason: /SyntaxError: .* \(line 1\)/ });
  const exited = await controller.run({ code: 'import sys; sys.exit(3)' });
  t.match(exited, { outcome: 'runtime_error', code: 'EXIT_NONZERO', exitCode: 3 });
  t.equal(exited.reason, 'The script ended with exit code 3.');
  const saying = await controller.run({ code: 'import sys; sys.exit("ValueError: no")' });
  t.match(saying, { code: 'EXIT_NONZERO', exitCode: 1 });
});

t.test('node: an exception, a rejection, and an exit code', async (t) => {
  const { controller } = await startRig(t, 'node');
  const raised = await controller.run({ code: '\nnull.x' });
  t.match(raised, { outcome: 'runtime_error', code: 'EXCEPTION', exitCode: 1 });
  t.match(raised.reason, /^The script raised TypeError: .*null.* \(line 2\)\.$/);
  const rejected = await controller.run({ code: 'Promise.reject(new RangeError("far"))' });
  t.match(rejected, { code: 'EXCEPTION', reason: 'The script raised RangeError: far (line 1).' });
  const exited = await controller.run({ code: 'console.error("Error: x"); process.exit(1)' });
  t.match(exited, { code: 'EXIT_NONZERO', exitCode: 1 });
});

t.test('exit 137 and a SIGKILL are told apart', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const exited = await controller.run({ code: 'exit 137' });
  t.match(exited, { code: 'EXIT_NONZERO', exitCode: 137 });
  t.equal(exited.signal, undefined);
  const killed = await controller.run({ code: 'kill -KILL $$' });
  t.match(killed, { outcome: 'runtime_error', code: 'SIGNALED', signal: 'SIGKILL' });
  t.equal(killed.exitCode, undefined);
  const faulted = await controller.run({ code: 'kill -SEGV $$' });
  t.match(faulted, { code: 'SIGNALED', reason: 'The script was ended by SIGSEGV.' });
});

t.test('sleeping past the wall limit ends it, with the output so far', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const result = await controller.run({ code: 'echo begun; sleep 600', limits: { wallMs: 3_000 } });
  t.match(result, { outcome: 'runtime_error', code: 'WALL_LIMIT', signal: 'SIGKILL' });
  t.match(
    result.reason,
    /^The script ran for \d+ ms; its wall limit is 3000 ms \(limits\.wallMs\)\.$/,
  );
  t.equal(text(result.stdout), 'begun\n');
  t.ok((result.usage?.wallMs ?? 0) >= 3_000);
});

t.test('python: what was printed before the end is kept, whatever ended it', async (t) => {
  const { controller } = await startRig(t, 'python');
  const code = 'import time\nprint("begun")\ntime.sleep(600)';
  const result = await controller.run({ code, limits: { wallMs: 5_000 } });
  t.equal(result.code, 'WALL_LIMIT');
  t.equal(text(result.stdout), 'begun\n');
});

t.test('a busy loop is ended by its CPU limit, also when it ignores the signals', async (t) => {
  const { controller } = await startRig(t, 'python');
  const limits = { cpuMs: 1000 };
  const plain = await controller.run({ code: 'while True: pass', limits });
  t.match(plain, { outcome: 'runtime_error', code: 'CPU_LIMIT', signal: 'SIGXCPU' });
  t.match(plain.reason, /of processor time; its limit is 1000 ms \(limits\.cpuMs\)\.$/);
  const stubborn = await controller.run({
    code: [
      'import signal',
      'signal.signal(signal.SIGXCPU, signal.SIG_IGN)',
      'signal.signal(signal.SIGTERM, signal.SIG_IGN)',
      'while True: pass',
    ].join('\n'),
    limits,
  });
  t.match(stubborn, { code: 'CPU_LIMIT', signal: 'SIGKILL' });
});

t.test('the wall limit ends a script that ignores every signal', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const code = 'trap "" TERM XCPU INT HUP; while true; do sleep 0.01; done';
  const result = await controller.run({ code, limits: { wallMs: 300 } });
  t.match(result, { code: 'WALL_LIMIT', signal: 'SIGKILL' });
});

t.test('a file beyond the disk limit: SIGXFSZ, or an exception where it is ignored', async (t) => {
  const limits = { diskBytes: 10_000 };
  const bash = await startRig(t, 'bash');
  const signalled = await bash.controller.run({
    code: 'exec head -c 20000 /dev/zero > big',
    limits,
  });
  t.match(signalled, { outcome: 'runtime_error', code: 'DISK_LIMIT', signal: 'SIGXFSZ' });
  const python = await startRig(t, 'python');
  const code = 'with open("big", "wb") as f: f.write(b"x" * 20000)';
  const raised = await python.controller.run({ code, limits });
  t.match(raised, { code: 'EXCEPTION', reason: /File too large.*limits\.diskBytes/ });
});

t.test('more address space than asked for is an exception that names the option', async (t) => {
  const { controller } = await startRig(t, 'python');
  const limits = { memoryBytes: 256 * 1024 * 1024 };
  const result = await controller.run({ code: 'x = bytearray(1024 ** 3)', limits });
  t.match(result, { code: 'EXCEPTION', reason: /MemoryError.*limits\.memoryBytes/ });
});

t.test(
  '100 MB of output end the script; its beginning is kept, little is read past it',
  async (t) => {
    const { controller } = await startRig(t, 'python');
    for (const stream of ['stdout', 'stderr'] as const) {
      const result = await controller.run({
        code: `import sys\nsys.${stream}.write("the beginning\\n")\nfor i in range(100): sys.${stream}.write("x" * 1048576)`,
      });
      t.match(result, { outcome: 'runtime_error', code: 'OUTPUT_LIMIT', signal: 'SIGKILL' });
      t.match(result.reason, new RegExp(`to ${stream} before .* the limit is 4194304 bytes`));
      const readBytes = Number(/wrote (\d+) bytes/.exec(result.reason ?? '')?.[1]);
      t.ok(readBytes < maxima.outputBytesDefault + 2 * 1024 * 1024, `${readBytes} bytes were read`);
      const kept = text(result[stream]);
      // How much came after the head, and so whether anything was left out, is up to the kernel.
      const said = kept.replace(/\n\[scriptd: \d+ bytes left out\]\n/, '');
      t.ok(said === 'the beginning\n'.padEnd(said.length, 'x'), 'the beginning, and what it wrote');
      t.ok(said.length > maxima.outputBytesDefault, 'all of the head is there');
      t.ok(kept.length < maxima.outputBytesDefault + maxima.outputTailBytes + 100);
      t.strictSame(result.truncated, { stdout: stream === 'stdout', stderr: stream === 'stderr' });
    }
  },
);

t.test(
  'output over its cap is OUTPUT_LIMIT also when the script had ended by itself',
  async (t) => {
    const { controller } = await startRig(t, 'bash');
    const result = await controller.run({
      code: 'printf 0123456789ab',
      limits: { outputBytes: 10 },
    });
    t.match(result, { outcome: 'runtime_error', code: 'OUTPUT_LIMIT' });
    t.equal(text(result.stdout), '0123456789ab');
    t.equal(result.truncated.stdout, true);
  },
);

t.test('background children die with the run', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const result = await controller.run({ code: 'sleep 600 & sleep 600 & echo $! $(jobs -p)' });
  t.equal(result.outcome, 'success');
  const pids = text(result.stdout).trim().split(/\s+/).map(Number);
  t.ok(pids.length >= 2);
  await eventually(() => !pids.some(isAlive));
});

t.test('a child that got away and holds stdout open delays nothing', async (t) => {
  const { controller, worker } = await startRig(t, 'bash');
  const result = await controller.run({
    code: [
      'setsid sh -c "echo \\$\\$ > away.tmp; mv away.tmp away; exec sleep 60" &',
      'until test -e away; do sleep 0.01; done',
      'cat away; echo parent done',
    ].join('\n'),
  });
  t.match(result, { outcome: 'success', exitCode: 0 });
  const [pid, said] = text(result.stdout).split('\n');
  t.equal(said, 'parent done');
  // It left the group, so only the sandbox could end it: here the test does.
  t.ok(isAlive(Number(pid)), 'it was still there, holding the pipe');
  process.kill(Number(pid), 'SIGKILL');
  t.equal(worker.stats().running, 0);
});

t.test('a program that cannot be started is START_FAILED with system call and errno', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const big = Object.fromEntries(
    Array.from({ length: 256 }, (_, index) => [`V${index}`, 'x'.repeat(60_000)]),
  );
  const result = await controller.run({ code: 'echo never', env: big });
  t.match(result, { outcome: 'internal_fail', code: 'START_FAILED' });
  t.match(result.reason, /execve failed with E2BIG/);
  t.equal(result.stdout.length, 0);
  const nul = await controller.run({ code: 'echo never', args: ['a\0b'] });
  t.match(nul, { outcome: 'internal_fail', code: 'START_FAILED', reason: /NUL/ });
});

t.test('a report that a script plants takes neither its own result away nor others', async (t) => {
  const { controller } = await startRig(t, 'python');
  const planted = (depth: number) => {
    const locals = `{"a\\nb": ${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const report = `{"message": "m", "frames": [{"file": "f", "locals": ${locals}}]}`;
    return `open(".scriptd-exception.json", "w").write(${JSON.stringify(report)})\nprint(1)`;
  };
  for (const depth of [0, 1, 12, 2_000, 100_000]) {
    const { outcome, exception } = await controller.run({ code: planted(depth) });
    t.strictSame([outcome, exception], ['success', undefined], `nested ${depth} deep`);
    t.equal((await controller.run({ code: 'print(2)' })).outcome, 'success', 'and the next');
  }
  t.strictSame(controller.closings, []);
});
