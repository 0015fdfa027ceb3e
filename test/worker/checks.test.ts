import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Check } from '../../src/task.js';
import { children, eventually, startRig } from './test-worker.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

t.test('an output that passes is a success like any other', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const checks: Check[] = [
    { exact: '{"n": 1}\n' },
    { pattern: '^\\{' },
    { schema: { required: ['n'] } },
    { script: { code: '[[ $(cat) == "$1" ]]', args: ['{"n": 1}'] } },
  ];
  for (const check of checks) {
    const result = await controller.run({ code: `echo '{"n": 1}'`, check });
    t.match(result, { outcome: 'success', exitCode: 0 }, JSON.stringify(check));
    t.equal(result.code, undefined);
    t.equal(result.format, undefined);
    t.equal(text(result.stdout), '{"n": 1}\n');
    t.type(result.phases.checkMs, 'number');
  }
});

t.test('one that does not pass: what was expected, where, and what came', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const run = (code: string, check: Check) => controller.run({ code, check });
  const mismatch = await run('echo one; echo too', { exact: 'one\ntwo\n' });
  t.match(mismatch, { outcome: 'format_error', code: 'FORMAT_MISMATCH', exitCode: 0 });
  t.strictSame(mismatch.format, { expected: '"two"', at: 'line 2, column 2', got: '"too"' });
  t.equal(
    mismatch.reason,
    'The output is not as its check wants it: expected at line 2, column 2 "two"; got "too".',
  );
  t.equal(text(mismatch.stdout), 'one\ntoo\n', 'it is there to be looked at');
  t.match(await run(`echo '{"n": "x"}'`, { schema: { properties: { n: { type: 'number' } } } }), {
    outcome: 'format_error',
    format: { expected: 'must be number', at: '/n', got: '"x"' },
  });
  t.match(await run('echo no', { pattern: '^yes' }), {
    code: 'FORMAT_MISMATCH',
    format: { expected: 'a match of /^yes/', got: JSON.stringify('no\n') },
  });
});

t.test('a checker script refuses: its words are the reason', async (t) => {
  const { controller } = await startRig(t, 'python');
  const run = (code: string) => controller.run({ code: 'print(41)', check: { script: { code } } });
  const refused = await run('n = int(input())\nprint(f"{n} is not 42")\nraise SystemExit(1)');
  t.match(refused, { outcome: 'format_error', code: 'FORMAT_MISMATCH', exitCode: 0 });
  t.equal(refused.reason, 'The checker script refused the output: 41 is not 42');
  t.match(refused.format, { expected: '41 is not 42', got: JSON.stringify('41\n') });
  t.match(await run('assert int(input()) == 42, "wrong"'), {
    code: 'FORMAT_MISMATCH',
    reason: /refused the output: The script raised AssertionError: wrong \(line 1\)\./,
  });
  t.match(await run('assert int(input()) == 41'), { outcome: 'success' });
});

t.test('a checker script that fails by itself is told as such', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const limits = { wallMs: 2_000 };
  const slow = await controller.run({
    code: 'echo',
    check: { script: { code: 'sleep 600' } },
    limits,
  });
  t.match(slow, { outcome: 'format_error', code: 'CHECK_FAILED' });
  t.match(slow.reason, /^The checker script failed\. The script ran for .*wall limit is 2000 ms/);
  const killed = { script: { code: 'kill -SEGV $$' } };
  t.match(await controller.run({ code: 'echo', check: killed }), { code: 'CHECK_FAILED' });
});

t.test('a checker script reads all of a large output, and may leave it unread', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const code = 'head -c 4000000 /dev/zero';
  const counted = { script: { code: '[[ $(wc -c) -eq 4000000 ]]' } };
  t.match(await controller.run({ code, check: counted }), { outcome: 'success' });
  t.match(await controller.run({ code, check: { script: { code: 'true' } } }), {
    outcome: 'success',
  });
});

t.test('what failed is not checked, and what was cut off never passes', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const failed = await controller.run({ code: 'echo x; exit 3', check: { exact: 'y' } });
  t.match(failed, { outcome: 'runtime_error', code: 'EXIT_NONZERO' });
  t.equal(failed.phases.checkMs, undefined);
  const limits = { outputBytes: 4 };
  const cut = await controller.run({ code: 'echo 123456', check: { pattern: '' }, limits });
  t.not(cut.outcome, 'success');
});

t.test(
  'a catastrophic pattern fails its own task; the worker serves others meanwhile',
  async (t) => {
    const { controller } = await startRig(t, 'bash');
    const slow = controller.start({
      code: `printf '${'a'.repeat(60)}b'`,
      check: { pattern: '^(a+)+$' },
    });
    await controller.started(slow);
    t.match(await controller.run({ code: 'echo' }), { outcome: 'success' });
    t.equal(controller.resultsOf(slow).length, 0, 'it is still being checked');
    t.match(await controller.result(slow), {
      outcome: 'format_error',
      code: 'CHECK_FAILED',
      reason: 'The check (check.pattern) could not be carried out: it was not done after 2000 ms.',
    });
  },
);

t.test('a check that should never have come here fails its task, and nothing else', async (t) => {
  const { controller } = await startRig(t, 'bash');
  t.match(await controller.run({ code: 'echo', check: { pattern: '(' } }), {
    outcome: 'format_error',
    code: 'CHECK_FAILED',
    reason: /Unterminated group/,
  });
});

t.test('cancelled while it is checked, by a process or by a script', async (t) => {
  const { controller, worker, folder } = await startRig(t, 'bash');
  const marker = join(folder, 'checking');
  const byScript = controller.start({
    code: 'echo',
    check: { script: { code: `touch ${marker}; sleep 600` } },
  });
  await eventually(() => existsSync(marker));
  controller.cancel(byScript);
  t.match(await controller.result(byScript), { outcome: 'cancelled', code: 'CANCELLED' });
  const byPattern = controller.start({
    code: `printf '${'a'.repeat(60)}b'`,
    check: { pattern: '^(a+)+$' },
  });
  // The script is over in no time: the process that is there now is the one that checks.
  await controller.started(byPattern);
  await eventually(() => children().some(isChecker));
  controller.cancel(byPattern);
  t.match(await controller.result(byPattern), { outcome: 'cancelled', code: 'CANCELLED' });
  await eventually(() => worker.stats().running === 0);
});

function isChecker(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('checker/process.js');
}

t.test('a check holds the slot of its task until it is done', async (t) => {
  const { controller, worker } = await startRig(t, 'bash', { slots: 1 });
  const first = controller.start({ code: 'echo', check: { script: { code: 'sleep 0.5' } } });
  const second = controller.start({ code: 'echo' });
  await controller.result(second);
  t.equal(controller.resultsOf(first).length, 1);
  t.equal(worker.stats().running, 0);
});

t.test('a worker that is closed leaves no checker process', async (t) => {
  const { controller, worker } = await startRig(t, 'bash');
  await controller.run({ code: 'echo', check: { pattern: '' } });
  t.ok(children().length > 0);
  await worker.close();
  await eventually(() => children().length === 0);
});
