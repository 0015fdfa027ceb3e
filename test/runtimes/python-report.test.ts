import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compileBootstrap, runPlainly, runPrepared, type Script } from './prepared.js';

const python = execFileSync(
  process.env.SCRIPTD_TEST_PYTHON ?? 'python3',
  ['-c', 'import sys; print(sys.executable)'],
  { encoding: 'utf8' },
).trim();
const folder = mkdtempSync(join(tmpdir(), 'scriptd-bootstrap-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const boot = compileBootstrap(python, folder);

type Test = Pick<typeof t, 'strictSame' | 'ok'>;

/** Runs it, holds what python itself says to be the same, and gives the report. */
async function reportOf(t: Test, script: Script) {
  const { report: _, ...plain } = await runPlainly([python], 'script.py', script);
  const { report, ...prepared } = await runPrepared([python, boot], 'script.py', script);
  t.strictSame(prepared, plain, 'as python does');
  t.ok((report?.length ?? 0) <= 256 * 1024, 'at most 256 KiB');
  return report === undefined ? undefined : JSON.parse(report);
}

t.test('type, message, and the frames from the outside in', async (t) => {
  const code = 'import other\n\ndef f(x):\n    return other.g(x)   # calls\n\nf(1)\n';
  const files = { 'lib/x.py': '', 'other.py': 'def g(x):\n    raise ValueError("é %d" % x)\n' };
  t.strictSame(await reportOf(t, { code, files }), {
    type: 'ValueError',
    message: 'é 1',
    frames: [
      { file: 'script.py', line: 6, function: '<module>', code: 'f(1)' },
      { file: 'script.py', line: 4, function: 'f', code: 'return other.g(x)   # calls' },
      { file: 'other.py', line: 2, function: 'g', code: 'raise ValueError("é %d" % x)' },
    ],
  });
});

t.test('a frame outside of the work directory has its whole path', async (t) => {
  const report = await reportOf(t, { code: 'import json\njson.loads("{")' });
  t.equal(report.type, 'JSONDecodeError');
  t.match(report.frames.at(-1).file, /^\/.*json\/decoder\.py$/);
  t.match(report.frames.at(-1).code, /raise JSONDecodeError|scan_once/);
});

t.test('a script that does not compile: where the compiler stopped', async (t) => {
  t.strictSame(await reportOf(t, { code: 'x = 1\nx = = 2\n' }), {
    type: 'SyntaxError',
    message: 'invalid syntax',
    frames: [{ file: 'script.py', line: 2, function: '<module>', code: 'x = = 2' }],
  });
});

t.test('what it was raised from', async (t) => {
  const code = 'try:\n    {}["k"]\nexcept KeyError as e:\n    raise OSError(2, "gone") from e';
  t.match(await reportOf(t, { code }), {
    type: 'FileNotFoundError',
    message: '[Errno 2] gone',
    cause: { type: 'KeyError', message: "'k'" },
  });
});

t.test('an interrupt is reported, and so is a KeyboardInterrupt by hand', async (t) => {
  t.match(await reportOf(t, { code: 'raise KeyboardInterrupt("k")' }), {
    type: 'KeyboardInterrupt',
    message: 'k',
  });
});

t.test('no report: success, exit codes, threads, children, what was caught', async (t) => {
  for (const code of [
    'print(1)',
    'import sys; sys.exit(3)',
    'import sys; sys.exit("message")',
    'import threading\nt = threading.Thread(target=lambda: 1 / 0, name="n"); t.start(); t.join()',
    'import os\nif os.fork() == 0: raise ValueError\nos.wait()',
    'try:\n    1 / 0\nexcept ZeroDivisionError: pass',
  ]) {
    t.equal(await reportOf(t, { code }), undefined, code);
  }
});

t.test('without inspect there are no variables', async (t) => {
  t.notOk('locals' in (await reportOf(t, { code: 'x = 1\n1 / 0' })).frames[0]);
});

t.test('with inspect: variables of each frame, definitions left out', async (t) => {
  const code = `
import os
from os.path import join
class Point:
    def __init__(self): self.x, self.y = 1, [2.5, None]
def f(a, *rest, **named):
    point, big, text, empty = Point(), 1 << 5000, "t" * 1000, ()
    values = {"k": {1}, "l": list(range(100)), "n": {"n": {"n": {"n": 1}}}}
    f, m, c, raw = join, os, Point, b"\\x00"
    bound = point.__init__
    1 / 0
number = -1
f("ä", 2, x=True)
`;
  const { frames } = await reportOf(t, { code, inspect: true });
  t.strictSame(frames[0].locals, { number: '-1' });
  t.strictSame(frames[1].locals, {
    a: "'ä'",
    rest: '(2,)',
    named: "{'x': True}",
    point: '<Point object: x=1, y=[2.5, None]>',
    big: '<int of 5001 bits>',
    text: `'${'t'.repeat(196)}...`,
    empty: '()',
    values: "{'k': {1}, 'l': [0, 1, 2, 3, 4, 5, 6, 7, ...], 'n': {'n': {'n': {...}}}}",
    f: '<function join>',
    m: "<module 'os'>",
    c: '<class Point>',
    raw: "b'\\x00'",
    bound: '<method __init__>',
  });
});

t.test('a class with a hostile repr is not asked', async (t) => {
  const code = `
import time
class Meta(type):
    def __getattribute__(self, name): raise SystemExit(name)
    def __instancecheck__(self, other): raise SystemExit("instance")
    def __repr__(self): raise SystemExit("repr")
class Hostile(metaclass=Meta):
    def __repr__(self): time.sleep(1000)
    __str__ = __len__ = __iter__ = __hash__ = __eq__ = __bool__ = __repr__
    def __getattribute__(self, name): time.sleep(1000)
    __class__ = property(__repr__)
class Text(str):
    def __repr__(self): time.sleep(1000)
    __str__ = __len__ = __getitem__ = __repr__
class Table(dict):
    def items(self): time.sleep(1000)
    __iter__ = __len__ = keys = items
def f():
    hostile, meta, text, table = Hostile(), Hostile, Text("x"), Table(a=1)
    inside = [Hostile(), {"k": Text("y")}]
    loop = []; loop.append(loop)
    1 / 0
f()
`;
  const { frames } = await reportOf(t, { code, inspect: true });
  t.strictSame(frames[1].locals, {
    hostile: '<Hostile object>',
    meta: '<class Hostile>',
    text: '<Text object>',
    table: '<Table object>',
    inside: "[<Hostile object>, {'k': <Text object>}]",
    loop: '[[[[...]]]]',
  });
});

t.test('bounds: variables, frames, message, and all together', async (t) => {
  const many = Array.from({ length: 80 }, (_, index) => `v${index} = "\\x01" * 300`).join('; ');
  const code = `
def f(n):
    ${many}
    if n == 0: raise ValueError("m" * 10_000_000)
    f(n - 1)
f(100)
`;
  // What python itself prints of it is not compared here: 10 MB.
  const { report } = await runPrepared([python, boot], 'script.py', { code, inspect: true });
  t.ok((report?.length ?? Number.POSITIVE_INFINITY) <= 256 * 1024);
  const { message, frames } = JSON.parse(report ?? '');
  t.equal(message.length, 4096);
  t.equal(frames.length, 50);
  t.equal(frames[0].function, '<module>');
  t.match(frames[49].code, 'raise ValueError');
  t.equal(Object.keys(frames[49].locals).length, 50);
  t.ok(frames[49].locals.v0.length <= 200);
});

t.test('a recursion without end', async (t) => {
  const code = 'def f(): f()\nf()';
  const { end, report, stderr } = await runPrepared([python, boot], 'script.py', { code });
  t.equal(end, 1);
  t.match(stderr, /\[Previous line repeated \d+ more times\]\nRecursionError: /);
  t.match(JSON.parse(report ?? ''), { type: 'RecursionError', frames: { length: 50 } });
});

t.test('all memory used up', async (t) => {
  const addressSpace = 9;
  const script: Script = {
    code: 'held = []\nwhile True: held.append(bytearray(1 << 20))',
    limits: [[addressSpace, 1 << 29, 1 << 29]],
  };
  const { end, report } = await runPrepared([python, boot], 'script.py', script);
  t.equal(end, 1);
  t.match(JSON.parse(report ?? ''), { type: 'MemoryError', frames: [{ line: 2 }] });
});

t.test('a script that replaces everything is reported all the same', async (t) => {
  const code = `
import builtins, io, json, os, posix, sys, threading
def hostile(*a, **k): raise SystemExit(99)
replace, names = setattr, {m: list(vars(m)) for m in (json, os, posix, io, builtins)}
for module in names:
    for name in names[module]:
        if name not in ("__build_class__", "__name__"):
            replace(module, name, hostile)
sys.modules.clear()
1 / 0
`;
  const { report } = await runPrepared([python, boot], 'script.py', { code, inspect: true });
  t.match(JSON.parse(report ?? ''), {
    type: 'ZeroDivisionError',
    frames: [{ file: 'script.py', line: 10, code: '1 / 0' }],
  });
});

t.test('all descriptors closed; the script removed', async (t) => {
  for (const code of [
    'import os\nos.closerange(0, 100)\n1 / 0',
    'import os\nos.remove("script.py")\n1 / 0',
  ]) {
    const report = await reportOf(t, { code });
    t.match(report, { type: 'ZeroDivisionError', frames: [{ line: 3, code: '1 / 0' }] }, code);
  }
});

t.test(
  'the work directory removed, or the report in the way: python is not disturbed',
  async (t) => {
    for (const code of [
      'import os, shutil\nshutil.rmtree(os.getcwd())\n1 / 0',
      'import os\nos.mkdir(".scriptd-exception.json.part")\n1 / 0',
      'import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n1 / 0',
    ]) {
      t.equal(await reportOf(t, { code }), undefined, code);
    }
  },
);

t.test('a planted link is replaced, not followed', async (t) => {
  const code =
    'import os\nfor n in "", ".part": os.symlink("target", ".scriptd-exception.json" + n)\n' +
    'import atexit\natexit.register(lambda: print(os.path.islink(".scriptd-exception.json"), os.listdir(".")))\n1 / 0';
  const { report, stdout } = await runPrepared([python, boot], 'script.py', { code });
  t.match(JSON.parse(report ?? ''), { type: 'ZeroDivisionError' });
  t.match(stdout, /^False \[/);
  t.notMatch(stdout, "'target'");
});

t.test('a source that would block is not read', async (t) => {
  const code =
    'import os\nos.mkfifo("pipe.py")\nexec(compile("\\n1 / 0", os.path.abspath("pipe.py"), "exec"))';
  const { report } = await runPrepared([python, boot], 'script.py', {
    code: `import sys\nsys.excepthook = print\n${code}`,
  });
  t.match(JSON.parse(report ?? '').frames[1], { file: 'pipe.py', line: 2, code: '' });
});

t.test('an exception that raises when it is looked at', async (t) => {
  const code = `
class E(Exception):
    def __str__(self): raise ValueError
    msg = args = property(__str__)
raise E(1)`;
  t.match(await reportOf(t, { code }), { type: 'E', message: '<exception str() failed>' });
});

t.test('surrogates are written as they are shown', async (t) => {
  t.match(await reportOf(t, { code: 'raise ValueError("a\\ud800\\udcffb")' }), {
    message: 'a\\ud800\\udcffb',
  });
});
