import { randomBytes } from 'node:crypto';
import t from 'tap';
import { startRig } from './test-worker.js';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

t.test('a python script runs as a main program with args, env and its own directory', async (t) => {
  process.env.SCRIPTD_TEST_SECRET = 'not for scripts';
  const { controller } = await startRig(t, 'python');
  const result = await controller.run({
    code: [
      'import os, sys, json',
      'print(json.dumps([__name__, sys.argv, dict(os.environ), os.getcwd(), os.listdir(".")]))',
    ].join('\n'),
    args: ['a b', 'ü', ''],
    env: { GREETING: 'grüß', PATH2: 'x' },
  });
  t.equal(result.outcome, 'success');
  t.equal(result.code, undefined);
  t.equal(result.reason, undefined);
  t.equal(result.exitCode, 0);
  const [name, argv, env, cwd, files] = JSON.parse(text(result.stdout));
  t.equal(name, '__main__');
  t.strictSame(argv, ['script.py', 'a b', 'ü', '']);
  t.strictSame(files, ['script.py']);
  const { PATH, LC_CTYPE, ...rest } = env;
  t.match(PATH, /\/usr\/local\/bin:\/usr\/bin:\/bin$|^\/usr\/local\/bin:\/usr\/bin:\/bin$/);
  t.strictSame(rest, {
    HOME: cwd,
    TMPDIR: cwd,
    LANG: 'C.UTF-8',
    PYTHONUTF8: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    GREETING: 'grüß',
    PATH2: 'x',
  });
  t.notMatch(text(result.stdout), 'not for scripts');
  t.equal(LC_CTYPE, undefined);
});

t.test('the result says how long each phase took and what was used', async (t) => {
  const { controller } = await startRig(t, 'python');
  const { phases, usage } = await controller.run({ code: 'print(1)' });
  t.ok(phases.startMs > 0);
  t.ok(phases.runMs > 0);
  t.ok(phases.drainMs >= 0);
  t.equal(usage?.wallMs, phases.runMs);
  t.ok((usage?.cpuMs ?? 0) > 0);
  t.ok((usage?.memoryPeakBytes ?? 0) > 1024 * 1024);
});

t.test('a node script can require, and import where this node detects modules', async (t) => {
  const { controller } = await startRig(t, 'node');
  const common = await controller.run({
    code: 'const os = require("node:os"); console.log(typeof os.EOL, process.argv.slice(2), __dirname === process.cwd())',
    args: ['x'],
  });
  t.strictSame([common.outcome, text(common.stdout)], ['success', "string [ 'x' ] true\n"]);
  const module = await controller.run({
    code: 'import os from "node:os"; console.log(typeof os.EOL, await 3)',
  });
  t.strictSame(
    [module.outcome, text(module.stdout), text(module.stderr)],
    ['success', 'string 3\n', ''],
  );
});

t.test('a bash script runs', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const result = await controller.run({ code: 'echo "$# $1" >&2; printf %s "$0"', args: ['é'] });
  t.strictSame(
    [result.outcome, text(result.stdout), text(result.stderr)],
    ['success', 'script.sh', '1 é\n'],
  );
});

t.test('any command can be a runtime, with the script where its placeholder stands', async (t) => {
  const { controller } = await startRig(t, 'sums', {
    runtime: { command: ['awk', '-f', '{script}'], extension: '.awk', env: { LC_ALL: 'C' } },
  });
  const result = await controller.run({
    code: '{ sum += $1 } END { print sum, ENVIRON["LC_ALL"] }',
    stdin: Buffer.from('1\n2\n39\n'),
  });
  t.strictSame([result.outcome, text(result.stdout)], ['success', '42 C\n']);
});

t.test('a command without placeholder gets the script after its own words', async (t) => {
  const { controller } = await startRig(t, 'shell', { runtime: { command: ['sh', '-e'] } });
  const result = await controller.run({ code: 'echo "$0 $1"; false; echo never', args: ['one'] });
  t.strictSame([result.code, text(result.stdout)], ['EXIT_NONZERO', 'script one\n']);
});

t.test('noop succeeds with empty output and without a process', async (t) => {
  const { controller, worker } = await startRig(t, 'noop', { slots: 1 });
  const keys = Array.from({ length: 3 }, () => controller.start({ code: 'ignored' }));
  for (const key of keys) {
    const result = await controller.result(key);
    t.strictSame([result.outcome, result.stdout.length, result.usage], ['success', 0, undefined]);
  }
  t.equal(worker.stats().running, 0);
});

t.test('output comes back byte for byte, whatever the bytes', async (t) => {
  const { controller } = await startRig(t, 'python');
  const bytes = randomBytes(300 * 1024);
  const result = await controller.run({
    code: 'import sys\ndata = sys.stdin.buffer.read()\nsys.stdout.buffer.write(data)\nsys.stderr.buffer.write(data[::-1])',
    stdin: bytes,
  });
  t.equal(result.outcome, 'success');
  t.ok(bytes.equals(result.stdout), 'stdout is the same');
  t.ok(bytes.reverse().equals(result.stderr), 'stderr is the same');
  t.strictSame(result.truncated, { stdout: false, stderr: false });
});

t.test('text that is not ASCII is UTF-8 on both sides', async (t) => {
  const { controller } = await startRig(t, 'python');
  const result = await controller.run({
    code: 'print("日本語 ünï 🎉 " + input())',
    stdin: Buffer.from('ж'),
  });
  t.equal(text(result.stdout), '日本語 ünï 🎉 ж\n');
});

t.test('without stdin a script reads the end at once', async (t) => {
  const { controller } = await startRig(t, 'python');
  const result = await controller.run({ code: 'import sys; print(repr(sys.stdin.read()))' });
  t.equal(text(result.stdout), "''\n");
});

t.test('4 MB of stdin pass through a program that writes as it reads', async (t) => {
  const { controller } = await startRig(t, 'bash');
  const stdin = randomBytes(4 * 1024 * 1024);
  const result = await controller.run({ code: 'exec cat', stdin });
  t.equal(result.outcome, 'success');
  t.ok(stdin.equals(result.stdout), 'all of it came back');
});

t.test('a script may close its stdin unread', async (t) => {
  const { controller, logged } = await startRig(t, 'python');
  const stdin = Buffer.alloc(4 * 1024 * 1024, 'x');
  const result = await controller.run({
    code: 'import os, time\nos.close(0)\ntime.sleep(0.05)\nprint("done")',
    stdin,
  });
  t.strictSame([result.outcome, text(result.stdout)], ['success', 'done\n']);
  const unread = await controller.run({ code: 'print("never read")', stdin });
  t.equal(unread.outcome, 'success');
  t.strictSame(
    logged.filter(({ level }) => Number(level) >= 40),
    [],
  );
});

t.test('a task may set its own variables over those of the runtime', async (t) => {
  const { controller } = await startRig(t, 'bash', {
    runtime: { env: { A: 'runtime', B: 'runtime' } },
  });
  const result = await controller.run({ code: 'echo $A $B', env: { A: 'task' } });
  t.equal(text(result.stdout), 'task runtime\n');
});
