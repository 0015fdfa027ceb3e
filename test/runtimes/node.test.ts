import { join } from 'node:path';
import t from 'tap';
import {
  type Ended,
  frameOf,
  runPlainly,
  runPrepared,
  runtimesFolder,
  type Script,
} from './prepared.js';

const boot = join(runtimesFolder, 'node/boot.cjs');
const node = process.execPath;
const flags = process.allowedNodeEnvironmentFlags.has('--disable-warning')
  ? ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON']
  : [];
const prepared = async (script: Script, name = 'script.js', options = {}) =>
  withoutNode(await runPrepared([node, ...flags, '--require', boot, name], name, script, options));
const plainly = async (script: Script, name = 'script.js') =>
  withoutNode(await runPlainly([node, ...flags], name, script));

/** What is loaded already is not waited for, which shows in the frames of node itself. */
const withoutNode = (ended: Ended): Ended => ({
  ...ended,
  stderr: ended.stderr.replaceAll(/^ {4}at .*\(?node:.*\n/gm, ''),
});

const scripts: Record<string, Script & { name?: string }> = {
  'a main module': {
    code: `
console.log(require.main === module, module.parent, module.id, module.children, __filename, __dirname);
console.log(process.argv.slice(1), process.argv0, process.execArgv, Object.keys(require.cache), process.mainModule === module);
console.log(require('module')._pathCache ? Object.keys(require.cache) : 0, this === exports, module.paths[0], module.loaded);
console.log(new Error('stack').stack);`,
    args: ['a b', 'ü', '', '--inspect'],
  },
  'its environment': {
    code: `
const { PWD, ...env } = process.env;
console.log(env, new Date(0).getHours());
console.log(require('child_process').execSync('env -u PWD -u OLDPWD -u SHLVL -u _ | sort').toString());`,
    env: { A: 'grüß', EMPTY: '', TZ: 'Asia/Tokyo' },
  },
  stdin: { code: 'process.stdin.pipe(process.stdout)', stdin: 'a\r\nb' },
  'stdin, synchronously': {
    code: 'console.log(require("fs").readFileSync(0, "utf8"))',
    stdin: 'x',
  },
  'a module by its import': {
    code: 'import os from "node:os";\nconsole.log(typeof os.EOL, import.meta.url, process.argv[1]);\nawait null;',
  },
  'a module by its name': {
    name: 'script.mjs',
    code: 'console.log(import.meta.filename ?? 0, typeof require); await new Promise((r) => setTimeout(r, 5));',
  },
  'a module by package.json': {
    code: 'export const x = 1; console.log(typeof require, await import("./other.js"))',
    files: { 'package.json': '{"type": "module"}', 'other.js': 'export default 2' },
  },
  'required files': {
    code: 'console.log(require("./a"), require("./lib/b"), require("thing"))',
    files: {
      'a.js':
        'module.exports = [module.parent.id, require.main.filename === module.parent.filename]',
      'lib/b.json': '{"b": 1}',
      'node_modules/thing/index.js': 'module.exports = "thing"',
    },
  },
  'strange text': { code: '#!/usr/bin/env node\nconsole.log("ü 😀")' },
  'a byte order mark': { code: '\ufeffconsole.log(1)' },
  nothing: { code: '' },
  'an exception': { code: 'function f() {\n  throw new TypeError("é");\n}\nf();' },
  'an exception in a module': {
    code: 'import "node:os";\nfunction f() { throw new Error("m") }\nf();',
  },
  'an exception with properties and a cause': {
    code: 'throw Object.assign(new Error("a\\nb", { cause: new RangeError("c") }), { code: "E", x: 1 })',
  },
  'an exception of node': { code: 'require("fs").readFileSync("/no/such")' },
  'an exception later': { code: 'setTimeout(() => { throw new Error("later") }, 1)' },
  'a value is thrown': { code: 'throw { a: 1 }' },
  'null is thrown': { code: 'throw null' },
  'a rejection': { code: 'Promise.reject(new Error("r"))' },
  'a rejection with no error': { code: 'Promise.reject(7)' },
  'a rejected await': {
    code: 'import "node:os";\nasync function f() { throw new Error("w") }\nawait f()',
  },
  'an await without end': { code: 'import "node:os";\nawait new Promise(() => {})' },
  'a syntax error': { code: 'let x = 1;\nlet y = = 2;' },
  'a syntax error in a module': { code: 'import os from "os";\nlet y = = 2;' },
  'a missing module': { code: 'require("no-such")' },
  'a handler of its own': {
    code: 'process.on("uncaughtException", (e, origin) => console.log(e.message, origin)); throw new Error("x")',
  },
  'a handler that throws': {
    code: 'process.on("uncaughtException", () => { throw new Error("again") }); throw new Error("x")',
  },
  'exit codes': { code: 'process.on("exit", (c) => console.log(c)); process.exitCode = 3' },
  'process.exit': { code: 'process.exit(42)' },
  'a signal': { code: 'process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 10000)' },
  abort: { code: 'process.abort()' },
  'a worker thread': {
    code: 'const { Worker } = require("worker_threads");\nnew Worker("console.log(require(\'worker_threads\').threadId, process.execArgv)", { eval: true }).on("exit", (c) => console.log(c))',
  },
  'an exception in a worker thread': {
    code: 'const { Worker } = require("worker_threads");\nnew Worker("throw new Error(1)", { eval: true }).on("error", (e) => console.log(e.message))',
  },
  'a forked child': {
    code: 'if (process.argv[2]) console.log("child", process.argv[2]);\nelse require("child_process").fork(__filename, ["x"]).on("exit", (c) => console.log(c))',
  },
  'much output': {
    code: 'process.stdout.write("x".repeat(300000)); console.error("y".repeat(100000))',
  },
  'its directory': { code: 'console.log(require("fs").readdirSync("."))' },
};

for (const [name, { name: file, ...script }] of Object.entries(scripts)) {
  t.test(`a prepared node runs it as node does: ${name}`, async (t) => {
    const { report: _, ...plain } = await plainly(script, file);
    const { report: __, ...warm } = await prepared(script, file);
    t.strictSame(warm, plain, 'prepared');
    const { report: ___, ...cold } = await prepared(script, file, { atOnce: true });
    t.strictSame(cold, plain, 'its task there before it starts');
  });
}

async function reportOf(script: Script, name?: string) {
  const { report } = await prepared(script, name);
  return report === undefined ? undefined : JSON.parse(report);
}

t.test('the report: type, message, and frames from the outside in', async (t) => {
  const code = 'const g = require("./lib/g");\nfunction f(x) {\n  g(x); // calls\n}\nf("é");\n';
  const files = { 'lib/g.js': 'module.exports = function g(x) {\n  throw new TypeError(x);\n}' };
  t.strictSame(await reportOf({ code, files }), {
    type: 'TypeError',
    message: 'é',
    frames: [
      { file: 'script.js', line: 5, function: 'Object.<anonymous>', code: 'f("é");' },
      { file: 'script.js', line: 3, function: 'f', code: 'g(x); // calls' },
      { file: 'lib/g.js', line: 2, function: 'g', code: 'throw new TypeError(x);' },
    ],
  });
});

t.test('the report of a module, a rejection, a later one, and its cause', async (t) => {
  t.match(await reportOf({ code: 'import "node:os";\nthrow new RangeError("m")' }), {
    type: 'RangeError',
    message: 'm',
    frames: [{ file: 'script.js', line: 2, code: 'throw new RangeError("m")' }],
  });
  t.match(await reportOf({ code: 'async function f() { throw new Error("r") }\nf()' }), {
    type: 'Error',
    message: 'r',
    frames: [{ line: 2 }, { line: 1, function: 'f' }],
  });
  const cause = 'setTimeout(() => { throw new Error("a", { cause: new TypeError("b") }) })';
  t.match(await reportOf({ code: cause }), {
    message: 'a',
    cause: { type: 'TypeError', message: 'b' },
  });
});

t.test('the report of a syntax error, and of a class of errors of its own', async (t) => {
  t.match(await reportOf({ code: 'let x;\nlet y = = 2;' }), {
    type: 'SyntaxError',
    message: "Unexpected token '='",
    frames: [{ file: 'script.js', line: 2, code: 'let y = = 2;' }],
  });
  const code = 'class Mine extends Error { name = "Mine" }\nthrow new Mine("x")';
  t.match(await reportOf({ code }), { type: 'Mine', message: 'x' });
});

t.test('the report of what is no error', async (t) => {
  t.strictSame(await reportOf({ code: 'throw "text"' }), {
    type: 'string',
    message: 'text',
    frames: [],
  });
  t.match(await reportOf({ code: 'throw null' }), { type: 'null', message: 'null' });
  t.match(await reportOf({ code: 'throw { a: { b: { c: 1 } } }' }), {
    type: 'Object',
    message: '{ a: { b: [Object] } }',
  });
});

t.test('no report: success, exit codes, what was handled, children, workers', async (t) => {
  for (const code of [
    'console.log(1)',
    'process.exit(1)',
    'process.on("uncaughtException", () => {}); throw 1',
    'process.setUncaughtExceptionCaptureCallback(() => {}); throw 1',
    'try { throw 1 } catch {}',
    'new (require("worker_threads").Worker)("throw 1", { eval: true }).on("error", () => {})',
    'if (process.argv[2]) throw 1; else require("child_process").fork(__filename, ["x"], { silent: true })',
  ]) {
    t.equal(await reportOf({ code }), undefined, code);
  }
});

t.test('hostile scripts are reported, or are not, and nothing else', async (t) => {
  const replaced = `
const fs = require('fs'), util = require('util');
process.cwd = process.listenerCount = () => { throw 'replaced' };
for (const module of [fs, util, JSON, Buffer, require('url')]) {
  for (const name of Object.keys(Object.getOwnPropertyDescriptors(module))) {
    try { if (typeof module[name] === 'function' && name !== 'emit') module[name] = () => { throw 'replaced' }; } catch {}
  }
}
null.x`;
  const { report, ...warm } = await prepared({ code: replaced });
  const { report: _, ...plain } = await plainly({ code: replaced });
  t.strictSame(warm, plain);
  t.match(JSON.parse(report ?? ''), { type: 'TypeError', frames: [{ line: 9, code: 'null.x' }] });
  for (const code of [
    'throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } })',
    'const e = new Error("x"); Object.defineProperty(e, "stack", { get() { throw 1 } }); throw e',
    'const e = new Error("x"); e.stack = 7; e.name = {}; throw e',
    'Error.prepareStackTrace = () => 7; throw new Error("x")',
    'Error.prepareStackTrace = () => { throw 1 }; throw new Error("x")',
    'Error.stackTraceLimit = 0; throw new Error("x")',
    'throw Symbol("x")',
    'throw () => 1',
    'function f() { f() }; f()',
    'require("fs").rmSync(process.cwd(), { recursive: true }); throw new Error("x")',
    'require("fs").mkdirSync(".scriptd-exception.json/x", { recursive: true }); throw new Error("x")',
    'require("fs").rmSync(__filename); throw new Error("x")',
  ]) {
    const { report, ...warm } = await prepared({ code });
    const { report: _, ...plain } = await plainly({ code });
    t.strictSame(warm, plain, code);
    t.ok((report?.length ?? 0) < 256 * 1024);
  }
});

t.test('a huge message is cut; a planted link is not followed', async (t) => {
  const huge = await reportOf({
    code: 'const e = new Error("m".repeat(20000000)); console.error = null; throw e',
  });
  t.equal(huge.message.length, 4096);
  t.equal(huge.type, 'Error');
  const linked = await prepared({
    code: 'const fs = require("fs"); for (const n of ["", ".part"]) fs.symlinkSync("target", ".scriptd-exception.json" + n);\nprocess.on("exit", () => console.log(fs.readdirSync(".")));\nthrow new Error("x")',
  });
  t.match(JSON.parse(linked.report ?? ''), { message: 'x' });
  t.notMatch(linked.stdout, "'target'");
});

t.test('a frame that is cut, a task that cannot be set up, and none at all', async (t) => {
  const whole = frameOf('script.js', { code: 'console.log(1)' });
  const wrong = Buffer.concat([whole, Buffer.from('x')]);
  const cuts = [3, 9, 30, whole.length - 1].map((size) => whole.subarray(0, size));
  for (const frame of [...cuts, wrong, Buffer.from('XXXXXXXX')]) {
    const { end, stdout, stderr } = await prepared({ code: '' }, 'script.js', { frame });
    t.strictSame([end, stdout], [70, '']);
    t.match(stderr, /^scriptd: the task frame is malformed: .+\n$/);
  }
  for (const name of ['../x', '/x', 'a//b', 'script.js/x']) {
    const { end, stderr } = await prepared({ code: '', files: { [name]: '' } });
    t.equal(end, 71, name);
    t.match(stderr, /^scriptd: the task cannot be set up: .+\n$/);
  }
  const none = await prepared({ code: '' }, 'script.js', { frame: new Uint8Array() });
  t.strictSame(none, { end: 0, stdout: '', stderr: '', report: undefined });
});
