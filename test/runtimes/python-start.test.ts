import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compileBootstrap, frameOf, runPrepared, runtimesFolder } from './prepared.js';
import { compileStandIn, PythonServer } from './python-server.js';

const python = execFileSync(
  process.env.SCRIPTD_TEST_PYTHON ?? 'python3',
  ['-c', 'import sys; print(sys.executable)'],
  { encoding: 'utf8' },
).trim();
const folder = mkdtempSync(join(tmpdir(), 'scriptd-bootstrap-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const boot = compileBootstrap(python, folder);
const library = compileStandIn(folder);

t.test('from its sources, and with the task there before it starts', async (t) => {
  const script = { code: 'import sys, os\nprint(sys.argv, os.listdir("."))', args: ['x'] };
  for (const command of [
    [python, join(runtimesFolder, 'python/boot.py')],
    [python, '-I', boot],
    [python, '-B', '-S', boot],
  ]) {
    const { end, stdout, stderr } = await runPrepared(command, 'script.py', script, {
      atOnce: true,
    });
    t.strictSame([end, stdout, stderr], [0, "['script.py', 'x'] ['script.py']\n", '']);
  }
});

t.test('nothing of the bootstrap is there for the script, nor of its rehearsal', async (t) => {
  const code = `
import sys, os, linecache
print([n for n, m in sys.modules.items() if "bootstrap/" in (getattr(m, "__file__", None) or "")])
print([p for p in sys.path if "boot" in p], [p for p in sys.path_importer_cache if "boot" in p])
print(linecache.cache, hasattr(sys, "last_value"), os.listdir("."))
import boot`;
  const { stdout, stderr } = await runPrepared([python, boot], 'script.py', { code });
  t.equal(stdout, "[]\n[] []\n{} False ['script.py']\n");
  t.match(stderr, /ModuleNotFoundError: No module named 'boot'\n$/);
});

t.test('limits only become lower', async (t) => {
  const [openFiles, core] = [7, 4];
  const code =
    'import resource\nprint(resource.getrlimit(7)[0], resource.getrlimit(7)[1] > 100, resource.getrlimit(4))';
  const limits: [number, number, number][] = [
    [openFiles, 100, 2 ** 52],
    [core, 0, 0],
  ];
  const { stdout } = await runPrepared([python, boot], 'script.py', { code, limits });
  t.equal(stdout, '100 True (0, 0)\n');
});

t.test('a pipe that is closed unused ends it silently', async (t) => {
  const ended = await runPrepared([python, boot], '', { code: '' }, { frame: new Uint8Array() });
  t.strictSame(ended, { end: 0, stdout: '', stderr: '', report: undefined });
});

t.test('a malformed frame ends it with 70, wherever it is cut', async (t) => {
  const whole = frameOf('script.py', { code: 'print(1)', args: ['x'] });
  const wrong = Buffer.concat([whole, Buffer.from('x')]);
  for (const frame of [
    whole.subarray(0, 3),
    whole.subarray(0, 30),
    whole.subarray(0, whole.length - 1),
    wrong,
    Buffer.from('XXXX'),
  ]) {
    const { end, stdout, stderr } = await runPrepared(
      [python, boot],
      '',
      { code: '' },
      { frame, atOnce: true },
    );
    t.equal(end, 70);
    t.equal(stdout, '');
    t.match(stderr, /^scriptd: the task frame is malformed: .+\n$/);
  }
});

t.test('a task that cannot be set up ends it with 71, and nothing is overwritten', async (t) => {
  for (const files of [{ '../x': '' }, { '/x': '' }, { 'a//b': '' }, { 'script.py/x': '' }]) {
    const { end, stderr } = await runPrepared([python, boot], 'script.py', {
      code: 'print(1)',
      files: files as unknown as Record<string, string>,
    });
    t.equal(end, 71);
    t.match(stderr, /^scriptd: the task cannot be set up: .+\n$/);
  }
});

t.test('the children of a server differ in their random numbers and share no state', async (t) => {
  const server = new PythonServer([python, boot, '--serve', library, 'random', 'json']);
  const code =
    'import random, json\nprint(random.random())\nassert not hasattr(json, "x")\njson.x = 1';
  const numbers = [await server.run({ code }), await server.run({ code })];
  t.strictSame(
    numbers.map(({ end, stderr }) => [end, stderr]),
    [
      [0, ''],
      [0, ''],
    ],
  );
  t.not(numbers[0]?.stdout, numbers[1]?.stdout);
  t.equal(await server.close(), 0);
});

t.test('a server that cannot serve says why', async (t) => {
  const serve = (...words: string[]) => {
    const { status, stderr } = spawnSync(python, [boot, '--serve', ...words], {
      encoding: 'utf8',
    });
    return [status, stderr];
  };
  t.strictSame(serve(library, 'json', 'no_such_module'), [
    65,
    "scriptd: module no_such_module cannot be imported: ModuleNotFoundError: No module named 'no_such_module'\n",
  ]);
  t.match(serve(join(folder, 'none.so')), [70, /^scriptd: .*none\.so.*\n$/]);
});

t.test('a server whose modules begin threads does not fork', async (t) => {
  const module =
    'import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\n';
  const { status, stderr } = spawnSync(
    python,
    [
      '-c',
      `import sys, os\nopen("threaded.py", "w").write(${JSON.stringify(module)})\nos.environ["PYTHONPATH"] = "."\nos.execv(sys.executable, [sys.executable, ${JSON.stringify(boot)}, "--serve", "x", "threaded"])`,
    ],
    { encoding: 'utf8', cwd: folder },
  );
  t.strictSame(
    [status, stderr],
    [69, 'scriptd: there are 2 threads after the imports; a fork would copy one only\n'],
  );
});

t.test('the rehearsal goes through to the end of its program', (t) => {
  const program = `
import os, sys
sys.path.insert(0, sys.argv[1])
import main_module, rehearsal
before = (set(sys.modules), dict(os.environ), sys.modules["__main__"], sys.argv, list(sys.path))
ended = []
run = main_module.run
main_module.run = lambda source, path: ended.append(run(source, path)) or ended[-1]
rehearsal.rehearse(list(vars(sys.modules["__main__"])))
after = (set(sys.modules), dict(os.environ), sys.modules["__main__"], sys.argv, list(sys.path))
print(repr(ended), before == after, os.listdir("."))`;
  const cwd = mkdtempSync(join(folder, 'rehearsal-'));
  const said = execFileSync(python, ['-c', program, join(runtimesFolder, 'python')], {
    ...{ cwd, encoding: 'utf8' },
  });
  t.equal(said, "[ZeroDivisionError('division by zero')] True []\n");
  t.end();
});
