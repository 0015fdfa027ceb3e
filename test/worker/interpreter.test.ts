import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { resolveInterpreter } from '../../src/worker/interpreter.js';
import { resolveRuntime } from '../../src/worker/runtimes/registry.js';
import type { ProcessRuntime } from '../../src/worker/runtimes/runtime.js';
import { startRig, temporaryFolder } from './test-worker.js';

const workDirectory = temporaryFolder(t);
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** An executable file, and PATH with its folder first until the test ends. */
function executable(t: Tap, name: string, content: string): string {
  const folder = temporaryFolder(t);
  const path = join(folder, name);
  writeFileSync(path, content);
  chmodSync(path, 0o755);
  const before = process.env.PATH;
  process.env.PATH = `${folder}:${before}`;
  t.teardown(() => {
    process.env.PATH = before;
  });
  return path;
}

interface Tap {
  teardown(action: () => unknown): void;
}

async function pathOf(type: string, definition = {}): Promise<string> {
  return ((await resolveRuntime(type, definition, workDirectory)) as ProcessRuntime).file;
}

t.test(
  'a shim is asked once where the interpreter really lives, and is not run again',
  async (t) => {
    const real = await pathOf('python');
    const folder = temporaryFolder(t);
    const shim = `#!/bin/sh\necho run >> ${folder}/log\nexec ${real} "$@"\n`;
    const path = executable(t, 'python3', shim);
    t.not(await pathOf('python'), path);
    t.equal(await pathOf('python'), real);
    const { controller } = await startRig(t, 'python');
    const code = 'import sys; print(sys.executable)';
    t.equal(text((await controller.run({ code })).stdout).trim(), real);
    await controller.run({ code });
    const log = await controller.run({ code: `print(open("${folder}/log").read().count("run"))` });
    t.equal(text(log.stdout), '3\n', 'once for each time that the runtime was resolved');
  },
);

t.test('a shim that does not work is passed over for the next in PATH', async (t) => {
  const real = await pathOf('python');
  executable(t, 'python3', '#!/bin/sh\necho "pyenv: python3: command not found" >&2\nexit 127\n');
  t.equal(await pathOf('python'), real);
});

t.test('a virtual environment stays one', async (t) => {
  const real = await pathOf('python');
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'bin'));
  symlinkSync(real, join(folder, 'bin', 'python3'));
  writeFileSync(join(folder, 'pyvenv.cfg'), `home = ${join(real, '..')}\n`);
  const interpreter = join(folder, 'bin', 'python3');
  const { controller } = await startRig(t, 'science', { runtime: { kind: 'python', interpreter } });
  const result = await controller.run({ code: 'import sys; print(sys.prefix)' });
  t.equal(text(result.stdout).trim(), folder);
});

t.test('an interpreter that is not there is RUNTIME_MISSING, with type and cure', async (t) => {
  for (const [type, definition] of [
    ['python', { interpreter: '/nowhere/python3' }],
    ['node', { interpreter: '/nowhere/node' }],
    ['bash', { interpreter: 'no-such-bash' }],
    ['ruby', { command: ['no-such-ruby', '{script}'] }],
  ] as const) {
    const message = new RegExp(`^type ${type} needs .*(no-such|nowhere).*install .*configuration`);
    await t.rejects(
      resolveRuntime(type, definition, workDirectory),
      { code: 'RUNTIME_MISSING', message },
      type,
    );
  }
});

t.test('what answers with no executable path is not taken', async (t) => {
  const path = executable(t, 'liar', '#!/bin/sh\necho /etc/passwd\n');
  await t.rejects(
    resolveInterpreter({ type: 'x', names: [], configured: path, question: [], cure: 'install x' }),
    { code: 'RUNTIME_MISSING', message: /it says that it lives at "\/etc\/passwd"/ },
  );
});

t.test('node is found even when PATH has none: the worker itself runs on it', async (t) => {
  const before = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = before;
  });
  process.env.PATH = '/nowhere';
  t.equal(await pathOf('node'), process.execPath);
});

t.test(
  'a type without runtime or command, and an extension that leads elsewhere, are refused',
  async (t) => {
    await t.rejects(resolveRuntime('ruby', {}, workDirectory), {
      code: 'RUNTIME_INVALID',
      message: /type ruby/,
    });
    await t.rejects(resolveRuntime('x', { command: [] }, workDirectory), {
      code: 'RUNTIME_INVALID',
    });
    for (const type of ['sh', 'python', 'node', 'bash']) {
      const definition = { ...(type === 'sh' ? { command: ['sh'] } : {}), extension: '/../../x' };
      await t.rejects(
        resolveRuntime(type, definition, workDirectory),
        { code: 'RUNTIME_INVALID' },
        type,
      );
    }
  },
);

t.test(
  'a package.json above the work directory does not decide what a node script is',
  async (t) => {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    const workDirectory = join(folder, 'work');
    const { controller } = await startRig(t, 'node', { workDirectory });
    const result = await controller.run({ code: 'console.log(typeof require)' });
    t.strictSame([result.outcome, text(result.stdout)], ['success', 'function\n']);
  },
);
