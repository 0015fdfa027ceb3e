import t from 'tap';
import { nodeException } from '../../src/worker/runtimes/node.js';
import { pythonException } from '../../src/worker/runtimes/python.js';

const python = (text: string) => pythonException(text, 'script.py');
const node = (text: string) => nodeException(text, 'script.js');

const traceback = `Traceback (most recent call last):
  File "/w/a-1/script.py", line 7, in <module>
    f()
  File "/w/a-1/script.py", line 3, in f
    json.loads("{")
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
json.decoder.JSONDecodeError: Expecting property name: line 1 column 2 (char 1)
`;

t.test('python: the innermost line of the script, not of a library', async (t) => {
  t.strictSame(python(`noise\n${traceback}`), {
    type: 'JSONDecodeError',
    message: 'Expecting property name: line 1 column 2 (char 1)',
    line: 3,
  });
});

t.test('python: of chained exceptions the last one', async (t) => {
  const text = `Traceback (most recent call last):
  File "/w/script.py", line 2, in <module>
    1/0
    ~^~
ZeroDivisionError: division by zero

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/w/script.py", line 4, in <module>
    raise KeyError("x")
KeyError: 'x'
`;
  t.strictSame(python(text), { type: 'KeyError', message: "'x'", line: 4 });
});

t.test('python: a message of several lines, one without a message', async (t) => {
  const head =
    'Traceback (most recent call last):\n  File "script.py", line 1, in <module>\n    f()\n';
  t.strictSame(python(`${head}ValueError: one\ntwo\n`), {
    type: 'ValueError',
    message: 'one\ntwo',
    line: 1,
  });
  t.strictSame(python(`${head}MemoryError\n`), { type: 'MemoryError', message: '', line: 1 });
});

t.test('python: a script that does not compile', async (t) => {
  const text =
    '  File "/w/script.py", line 2\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n';
  t.strictSame(python(text), { type: 'SyntaxError', message: 'invalid syntax', line: 2 });
});

t.test('python: what is no report of an exception is none', async (t) => {
  for (const text of [
    '',
    'usage: script.py FILE\n',
    'ValueError: only said so\n',
    'SyntaxError: only said so\n',
    'Traceback (most recent call last):\n',
    'Traceback (most recent call last):\n  File "script.py", line 1, in <module>\n',
  ]) {
    t.equal(python(text), undefined, JSON.stringify(text));
  }
});

t.test('node: type, message and line', async (t) => {
  const text = `/w/a-1/script.js:2
function f() { throw new TypeError("a\\nb") }
               ^

TypeError: a
b
    at f (/w/a-1/script.js:2:22)
    at Object.<anonymous> (/w/a-1/script.js:3:1)

Node.js v20.20.2
`;
  t.strictSame(node(`noise\n${text}`), { type: 'TypeError', message: 'a\nb', line: 2 });
});

t.test('node: thrown in a builtin, the line of the script comes from the stack', async (t) => {
  const text = `node:fs:573
  return binding.open(
                 ^

Error: ENOENT: no such file or directory, open '/nix'
    at Object.openSync (node:fs:573:18)
    at Object.<anonymous> (/w/script.js:5:15) {
  errno: -2,
  code: 'ENOENT'
}

Node.js v20.20.2
`;
  t.strictSame(node(text), {
    type: 'Error',
    message: "ENOENT: no such file or directory, open '/nix'",
    line: 5,
  });
});

t.test('node: an error with a code in brackets, and a value that is no error', async (t) => {
  const coded = `node:internal/errors:540
      throw error;
      ^

TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument must be of type string.
    at x (/w/script.js:1:4)

Node.js v22.1.0
`;
  t.match(node(coded), { type: 'TypeError', line: 1 });
  const value = `
node:internal/modules/run_main:123
    triggerUncaughtException(
    ^
abc
(Use \`node --trace-uncaught ...\` to show where the exception was thrown)

Node.js v20.20.2
`;
  t.strictSame(node(value), { message: 'abc' });
});

t.test('node: without the version at its end it is no report', async (t) => {
  for (const text of ['', 'Error: only said so\n', '/w/script.js:1\nx\n^\n\nError: x\n']) {
    t.equal(node(text), undefined, JSON.stringify(text));
  }
});

t.test('hostile output costs no more to read than other output', async (t) => {
  // Quadratic for a careless pattern; the test would never end.
  const digits = `\n\nNode.js v1.1.${'1'.repeat(2_000_000)} x`;
  t.equal(node(digits), undefined);
});
