import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { compileBootstrap, type Ended, runPlainly, runPrepared, type Script } from './prepared.js';
import { compileStandIn, PythonServer } from './python-server.js';

const python = execFileSync(
  process.env.SCRIPTD_TEST_PYTHON ?? 'python3',
  ['-c', 'import sys; print(sys.executable)'],
  { encoding: 'utf8' },
).trim();

const scripts: Record<string, Script> = {
  'a main module': {
    code: 'import sys\nprint(list(globals()), __name__, __file__, __doc__, __spec__, __package__)\nprint(__loader__.path, __builtins__, __annotations__)\nprint(sys.argv, sys.path, getattr(sys, "orig_argv", 0), sys.exc_info())\nprint(sys.modules["__main__"].__dict__ is globals())',
    args: ['a b', 'ü', '', '\u{1f600}'],
  },
  'its environment': {
    code: 'import os, subprocess, time\nprint(sorted(os.environ.items()), flush=True)\nos.system("env -u PWD -u OLDPWD -u SHLVL -u _ | sort")\nprint(time.tzname)',
    env: { A: 'grüß', EMPTY: '', 'odd name': 'a=b', TZ: 'Asia/Tokyo' },
  },
  'its streams': {
    code: 'import sys\nfor s in sys.stdin, sys.stdout, sys.stderr: print(s, s.mode, s.encoding, s.errors, s.line_buffering, s.write_through, s.name, type(s.buffer), s.buffer.raw if hasattr(s.buffer, "raw") else s.buffer, s.isatty(), s.fileno(), s.closed, s is getattr(sys, "__" + s.name[1:-1] + "__"))\nprint(repr(sys.stdin.readline()), repr(sys.stdin.read()))\nsys.stdout.buffer.write(b"\\xff\\n")\nprint("\\udcff \\u00fc", file=sys.stderr)',
    stdin: 'a\r\nb\nc\r',
  },
  'buffered streams': {
    code: 'import sys, os\nprint(sys.stdout, sys.stdout.write_through, sys.stderr.line_buffering)\nprint("kept"); os.write(1, b"first\\n")',
    env: { PYTHONUNBUFFERED: '' },
  },
  'text that is not ASCII': { code: 'print("ü 😀 \\u2028")\nprint(ascii("é"))' },
  'an encoding cookie': {
    code: Buffer.from('# -*- coding: latin-1 -*-\nprint(ascii("\xe9"))', 'latin1'),
  },
  'a byte order mark': { code: '\ufeffprint(ascii("é"), __doc__)' },
  'line ends of all kinds': {
    code: '"""doc\r\nstring"""\r\nprint(1)\rprint(repr(__doc__))\nif 1:\r\n  print(2)',
  },
  'nothing at all': { code: '' },
  'a form feed and no newline at the end': { code: '\fx = 1\nif x: print(x)' },
  'an exception': {
    code: 'import json\ndef f(x):\n    return g(x + 1)\ndef g(x):\n    json.loads("{")\nf(1)',
  },
  'chained exceptions': {
    code: 'try:\n    1 / 0\nexcept Exception as e:\n    try:\n        {}["k"]\n    except Exception as f:\n        raise ValueError("é\\nline") from f',
  },
  'an exception group': {
    code: 'import sys\nif sys.version_info < (3, 11): sys.exit("too old")\nraise ExceptionGroup("g", [ValueError(1), TypeError("t")])',
  },
  'notes and the name of a nested class': {
    code: 'class A:\n  class B(Exception): pass\ne = A.B("x")\nif hasattr(e, "add_note"): e.add_note("noted")\nraise e',
  },
  'an exception without a message': { code: 'assert 1 == 2' },
  'an exception with a str that raises': {
    code: 'class E(Exception):\n  def __str__(self): raise ValueError\nraise E(1)',
  },
  'surrogates in a message': { code: 'raise ValueError("\\ud800 \\udcff")' },
  'a suggestion': { code: 'value = 1\nprint(valeu)' },
  'a wrong import': { code: 'import no_such_module_1' },
  'an exception in an imported file': {
    code: 'import other\nother.f()',
    files: { 'other.py': 'def f():\n    raise KeyError("x")\n' },
  },
  'a syntax error in an imported file': {
    code: 'import other',
    files: { 'other.py': 'x = = 1\n' },
  },
  'a warning': { code: 'import warnings\nwarnings.warn("careful")\nx = "\\d"' },
  ...Object.fromEntries(
    Object.entries({
      invalid: 'x = 1\nx = = 2\n',
      'an open bracket': 'x = (1,\n\n\n',
      'an open string': 'x = "abc\ny = 1',
      'an open triple quote': 'x = """abc\ny',
      indentation: 'if 1:\nprint(1)',
      'a wrong dedent': 'if 1:\n    a = 1\n  b = 2',
      'tabs and spaces': 'if 1:\n\tx = 1\n        y = 2\n',
      'return outside': 'def f(): pass\nreturn 1',
      'an f-string': 'f"{a b}"',
      'a number': 'x = 1_000_',
      'an unknown character': 'x = 1 € 2',
      'a late future': 'x = 1\nfrom __future__ import annotations',
      'a keyword': 'print "hello"',
      'a NUL': 'x = 1\0\nprint(x)',
      'a wrong cookie': '# coding: no-such-codec\nprint(1)',
      await: 'await x',
      'a long line': `x = ${'a + '.repeat(500)} +`,
      'two bad lines': 'def f(:\n  pass\nclass',
    }).map(([name, code]) => [`a syntax error: ${name}`, { code }]),
  ),
  'a source that is not UTF-8': { code: Buffer.from('x = 1\ny = "\xff"\n', 'latin1') },
  'exit codes, none': { code: 'import sys; sys.exit()' },
  'exit codes, 0 and True': { code: 'raise SystemExit(False)' },
  'exit codes, 42': { code: 'import sys; sys.exit(42)' },
  'exit codes, 256': { code: 'import sys; sys.exit(256)' },
  'exit codes, -1': { code: 'import sys; sys.exit(-1)' },
  'exit codes, out of range': { code: 'import sys; sys.exit(1 << 70)' },
  'exit codes, a text': { code: 'import sys; sys.exit("grüß\\udcff")' },
  'exit codes, a tuple': { code: 'import sys; sys.exit((1, (2, "x")))' },
  'exit codes, the exception class': { code: 'raise SystemExit' },
  'exit codes, a subclass': {
    code: 'class E(SystemExit):\n  code = 7\nraise E(3)',
  },
  'exit codes, a str that raises': {
    code: 'class C:\n  def __str__(self): raise ValueError\nraise SystemExit(C())',
  },
  'os._exit': { code: 'import os\nprint("x", end="", flush=True)\nos._exit(9)' },
  'an interrupt': { code: 'raise KeyboardInterrupt("x")' },
  'an interrupt by signal': {
    code: 'import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass',
  },
  'dispositions of signals': {
    code: 'import signal\nfor s in "SIGPIPE SIGXFSZ SIGINT SIGTERM SIGHUP SIGCHLD".split(): print(s, signal.getsignal(getattr(signal, s)))\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, []))',
  },
  'death by a signal': { code: 'import os\nos.kill(os.getpid(), 15)' },
  'an excepthook': {
    code: 'import sys\nsys.excepthook = lambda *a: print("hook", a[:2], a[2].tb_lineno, sys.last_value, sys.exc_info())\n1 / 0',
  },
  'an excepthook that raises': {
    code: 'import sys\ndef hook(*a):\n    raise ValueError("hook")\nsys.excepthook = hook\n1 / 0',
  },
  'an excepthook that exits': {
    code: 'import sys\nsys.excepthook = lambda *a: sys.exit(5)\n1 / 0',
  },
  'no excepthook': { code: 'import sys\ndel sys.excepthook\n1 / 0' },
  atexit: {
    code: 'import atexit\natexit.register(print, "one")\natexit.register(lambda: 1 / 0)\natexit.register(print, "three")',
  },
  'atexit after an exit code': {
    code: 'import atexit, sys\natexit.register(print, "bye")\nsys.exit(3)',
  },
  'threads are waited for': {
    code: 'import threading, time\ne = threading.Event()\ndef f():\n    e.wait(); time.sleep(0.1); print("thread")\nthreading.Thread(target=f).start()\nprint("main")\ne.set()',
  },
  'a thread that raises': {
    code: 'import threading\ndef f(): 1 / 0\nt = threading.Thread(target=f, name="T"); t.start(); t.join()\nprint("main")',
  },
  'daemon threads are not waited for': {
    code: 'import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\nprint("main")\nf = open("x", "w")',
  },
  'a pool': {
    code: 'from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor(2)\nprint(list(p.map(abs, [-1, 2])))',
  },
  'a pool of processes': {
    code: 'import multiprocessing\nif __name__ == "__main__":\n    for way in "fork", "spawn":\n        with multiprocessing.get_context(way).Pool(1) as p: print(p.map(abs, [-1]))',
  },
  asyncio: {
    code: 'import asyncio\nasync def f():\n    await asyncio.sleep(0.01); return 1\nprint(asyncio.run(f()))',
  },
  destructors: {
    code: 'class D:\n    def __init__(self, n): self.n = n\n    def __del__(self): print("del", self.n, N)\nN = 5\na = D("a")\nb = [D("b")]; b.append(b)\ndef f(x=D("default")): pass',
  },
  'a destructor that raises': { code: 'class D:\n    def __del__(self): 1 / 0\nd = D()' },
  'a destructor in a function that runs': {
    code: 'class D:\n    def __del__(self): print("del")\ndef f():\n    d = D()\n    1 / 0\nf()',
  },
  'weak finalizers': {
    code: 'import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, "finalized")',
  },
  'files left open': {
    code: 'import subprocess, atexit, os\nf = open("x.txt", "w"); f.write("left open")\ng = [open("y.txt", "w")]; g[0].write("also"); g.append(g)\nimport json; json.kept = open("z.txt", "w"); json.kept.write("outside")\nif os.fork():\n    print(os.wait()[1], [open(n).read() for n in ("x.txt", "y.txt", "z.txt")], flush=True)',
    env: { PYTHONUNBUFFERED: '' },
  },
  'stdout is replaced by a file': {
    code: 'import sys\nsys.stdout = open("out", "w")\nprint("x")\nsys.exit("done")',
  },
  'stdout is None': { code: 'import sys\nsys.stdout = None\nprint("x")' },
  'stderr is None': { code: 'import sys\nsys.stderr = None\n1 / 0' },
  'stdout is closed': { code: 'import sys\nsys.stdout.close()' },
  'a full device': {
    code: 'import os\nos.dup2(os.open("/dev/full", os.O_WRONLY), 1)\nprint("x")',
    env: { PYTHONUNBUFFERED: '' },
  },
  'nobody reads stdout': {
    code: 'import os\nr, w = os.pipe()\nos.close(r)\nos.dup2(w, 1)\nprint("x")',
  },
  'children of a fork': {
    code: 'import os, sys\npid = os.fork()\nif pid == 0: sys.exit(4)\nprint(os.waitpid(pid, 0)[1] >> 8)',
  },
  'an exception in a child of a fork': {
    code: 'import os, sys\npid = os.fork()\nif pid == 0: raise ValueError("child")\nprint(os.waitpid(pid, 0)[1] >> 8)',
  },
  'a module that a file shadows': {
    code: 'import json, re, colorsys\nfrom string import here\nprint(json.mine, re.mine, colorsys.mine, here)\nimport os, sys, time\nprint(os.getcwd() == sys.path[0])',
    files: {
      'json.py': 'mine = "json"',
      're/__init__.py': 'mine = "re"',
      'colorsys.py': 'mine = 1',
      'string.py': 'here = 2',
      'os.py': 'raise SystemExit("os")',
      'time.py': 'raise SystemExit("time")',
    },
  },
  'files in directories': {
    code: 'import os\nfrom a.b import c\nprint(c.x, oct(os.stat("script.py").st_mode), os.listdir("a/b"))',
    files: { 'a/b/c.py': 'x = 1' },
  },
  pickle: {
    code: 'import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)',
  },
  dataclasses: {
    code: 'from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 1\nprint(A(), __annotations__)\ny: int = 2\nprint(__annotations__)',
  },
  'flags of the compiler are not ours': {
    code: 'import sys\ndef f(x: int): pass\nprint(f.__annotations__, sys.flags.optimize)\nprint(type(compile("1", "x", "eval")))',
  },
  'its source': {
    code: 'import inspect, sys\ndef f(): return 1\nprint(inspect.getsource(f), __loader__.get_source("__main__"))',
  },
  resources: { code: 'import os\nprint(sorted(os.listdir("/proc/self/fd")), os.listdir("."))' },
};

/** Since 3.12 python also says `Exception ignored on threading shutdown`, for an error of its own. */
const endOnly = new Set(['exit codes, out of range', 'exit codes, a str that raises']);

const without = ({ end, stdout, stderr }: Ended, name: string) => ({
  end,
  stdout,
  stderr: endOnly.has(name) ? '' : stderr,
});

t.test('a prepared python runs a script as python does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-bootstrap-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const boot = compileBootstrap(python, folder);
  const library = compileStandIn(folder);
  const server = new PythonServer([python, boot, '--serve', library, 'json', 're', 'random']);
  t.match(JSON.parse(await server.ready), { ready: 1 });

  for (const [name, script] of Object.entries(scripts)) {
    await t.test(name, async (t) => {
      const { report: _, ...plain } = await runPlainly([python], 'script.py', script);
      if (endOnly.has(name)) plain.stderr = '';
      const prepared = await runPrepared([python, boot], 'script.py', script);
      t.strictSame(without(prepared, name), plain, 'prepared');
      const forked = await server.run(script);
      t.strictSame(without(forked, name), plain, 'forked');
    });
  }
  t.equal(await server.close(), 0);
});
