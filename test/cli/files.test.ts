import t from 'tap';
import { limits } from '../../src/limits.js';
import { type Answer, Service } from './service.js';

const config = `
workers: { python: 2, node: 1, bash: 1 }
limits: { wallMs: 20000 }
runtimes:
  python:
    limits: { wallMs: 15000 }
    limitsMax: { wallMs: 60000, outputBytes: 1000000 }
  bash:
    network: host
`;

interface FileJson {
  content: string;
  encoding: string;
  bytes: number;
}

const filesOf = ({ json }: Answer) => json.files as Record<string, FileJson>;

t.test('files, exceptions and limits, through all parts', async (t) => {
  const service = await Service.start(t, [], config);
  const run = (task: object) => service.submit(task, '?wait=60');

  await t.test('a script finds its files, byte for byte, and hands others back', async (t) => {
    const code = `
import os
data = open('in/bytes.bin', 'rb').read()
assert open('größe.txt', encoding='utf-8').read() == 'é\\n'
assert sorted(os.listdir()) == ['constructor', 'größe.txt', 'in', 'script.py'], os.listdir()
os.makedirs('out/deep')
open('out/deep/bytes.bin', 'wb').write(data[::-1])
open('out/text.json', 'w').write('{"ü": 1}')
open('out/.hidden', 'w').write('hidden')
open('left.txt', 'w').write('not asked for')
`;
    const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const answer = await run({
      type: 'python',
      code,
      files: {
        'in/bytes.bin': { base64: every.toString('base64') },
        'größe.txt': 'é\n',
        constructor: '',
      },
      collect: ['out/**', 'größe.txt', 'nothing/*'],
    });
    t.match(answer.json, { outcome: 'success', stderr: '' });
    t.same(filesOf(answer), {
      'out/deep/bytes.bin': {
        content: Buffer.from(every).reverse().toString('base64'),
        encoding: 'base64',
        bytes: 256,
      },
      'out/text.json': { content: '{"ü": 1}', encoding: 'utf-8', bytes: 9 },
      'größe.txt': { content: 'é\n', encoding: 'utf-8', bytes: 3 },
    });
    const again = await service.request('GET', `/v1/tasks/${answer.json.id}`);
    t.same(again.json, answer.json);
  });

  await t.test('a script imports a module that it was given', async (t) => {
    const python = await run({
      type: 'python',
      code: 'import lib.helper; print(lib.helper.answer)',
      files: { 'lib/helper.py': 'answer = 42\n' },
    });
    t.match(python.json, { outcome: 'success', stdout: '42\n' });
    const node = await run({
      type: 'node',
      code: "console.log(require('./lib/helper').answer)",
      files: { 'lib/helper.js': 'exports.answer = 42;\n' },
    });
    t.match(node.json, { outcome: 'success', stdout: '42\n' });
  });

  await t.test('a script that fails hands back what it wrote before', async (t) => {
    const code = 'echo begun > out.txt; exit 3';
    const answer = await run({ type: 'bash', code, collect: ['*.txt'] });
    t.match(answer.json, { outcome: 'runtime_error', code: 'EXIT_NONZERO', exitCode: 3 });
    t.match(filesOf(answer), { 'out.txt': { content: 'begun\n' } });
    const late = await run({
      type: 'bash',
      code: 'echo begun > out.txt; sleep 600',
      collect: ['*.txt'],
      limits: { wallMs: 1_000 },
    });
    t.match(late.json, { outcome: 'runtime_error', code: 'WALL_LIMIT' });
    t.notOk('files' in late.json, 'of what was killed nothing is looked at');
  });

  await t.test('what is no file of its own is not handed back', async (t) => {
    const code = `
      ln -s /etc/passwd link; ln -s /etc folder; mkfifo pipe; mkdir empty; echo fine > fine
      head -c ${limits.collectBytesMax + 1} /dev/zero > zz-large
    `;
    const answer = await run({ type: 'bash', code, collect: ['*', 'folder/passwd', 'empty'] });
    t.match(answer.json, { outcome: 'success' });
    const { fine, ...others } = filesOf(answer);
    t.match(fine, { content: 'fine\n' });
    t.same(Object.keys(others).sort(), ['script.sh'], 'which is as good as any other');
    const missed = answer.json.filesNotCollected as {
      name: string;
      code: string;
      reason: string;
    }[];
    const codes = Object.fromEntries(missed.map(({ name, code }) => [name, code]));
    t.match(codes, { link: 'ELOOP', pipe: 'EINVAL', empty: 'EISDIR', 'zz-large': 'EFBIG' });
    for (const { reason } of missed) t.ok(reason.length > 0);
    t.notOk(JSON.stringify(answer.json.files).includes('root:'));
  });

  await t.test('names and folders that nobody expects do no harm', async (t) => {
    // Beyond what a name on the wire may have, below where the search ends.
    const code = `
      name=$(printf 'x%.0s' {1..250}); mkdir deep; cd deep
      for depth in {1..6}; do mkdir "$name" && cd "$name"; done; echo lost > file
      cd ~; echo found > $'\\n\\t*'; echo odd > $'\\xff'; mkdir __proto__; echo p > __proto__/constructor
    `;
    const answer = await run({ type: 'bash', code, collect: ['deep/**', '__proto__/*', '?*'] });
    t.match(answer.json, { outcome: 'success', attempt: 1 });
    const files = filesOf(answer);
    t.match(files['\n\t*'], { content: 'found\n' });
    t.match(files['__proto__/constructor'], { content: 'p\n' });
    const missed = answer.json.filesNotCollected as { name: string; code: string }[];
    t.match(
      missed.find(({ name }) => name === '\ufffd'),
      { code: 'EILSEQ' },
    );
    t.ok(missed.some(({ code }) => code === 'ENAMETOOLONG'));
    t.match((await run({ type: 'bash', code: 'echo next' })).json, { stdout: 'next\n' });
  });

  await t.test('nothing is handed back that was not asked for', async (t) => {
    const answer = await run({ type: 'bash', code: 'echo x > x' });
    t.notOk('files' in answer.json);
    t.notOk('filesNotCollected' in answer.json);
    const none = await run({ type: 'bash', code: 'true', collect: ['x'] });
    t.same(none.json.files, {});
  });

  await t.test('an exception that nobody caught comes back with its frames', async (t) => {
    const code = 'def f(x):\n  return 1 / x\nf(0)\n';
    const task = { type: 'python', code, collect: ['*', '.*'] };
    const plain = await run(task);
    t.match(plain.json, {
      outcome: 'runtime_error',
      code: 'EXCEPTION',
      exception: {
        type: 'ZeroDivisionError',
        message: 'division by zero',
        frames: [
          { file: 'script.py', line: 3, function: '<module>', code: 'f(0)' },
          { file: 'script.py', line: 2, function: 'f', code: 'return 1 / x' },
        ],
      },
    });
    t.match(plain.json.stderr, /^Traceback.*ZeroDivisionError: division by zero\n$/s);
    t.notOk(JSON.stringify(plain.json.exception).includes('locals'));
    t.same(Object.keys(filesOf(plain)), ['script.py'], 'the report is no file of the task');
    const inspected = await run({ ...task, inspect: true });
    const { frames } = inspected.json.exception as { frames: { locals?: object }[] };
    t.match(frames[1]?.locals, { x: '0' });
    const node = await run({ type: 'node', code: "throw new TypeError('no such thing')" });
    t.match(node.json.exception, { type: 'TypeError', message: 'no such thing' });
    const executed = await service.execute('raise KeyError("k")');
    t.equal(executed.status, 422);
    t.match(executed.json.exception, { type: 'KeyError', frames: [{ line: 1 }] });
    t.notOk('exception' in (await run({ type: 'python', code: 'raise SystemExit(3)' })).json);
  });

  await t.test('a name that leads out of the directory is refused before it runs', async (t) => {
    for (const name of ['../x', '/tmp/x', 'a\0b', 'script.py']) {
      const answer = await service.submit({ code: '', type: 'python', files: { [name]: '' } });
      t.equal(answer.status, 400, JSON.stringify(name));
      t.match(answer.json, { code: 'INVALID_FIELD', field: `files.${name}` });
    }
  });

  await t.test('each type has its defaults and its maxima', async (t) => {
    const python = await service.submit({ code: '', type: 'python' });
    t.match(python.json.limits, { wallMs: 15_000, outputBytes: 1_000_000 });
    const node = await service.submit({ code: '', type: 'node' });
    t.match(node.json.limits, { wallMs: 20_000, outputBytes: limits.outputBytesDefault });
    const high = await service.submit({ code: '', type: 'python', limits: { wallMs: 60_001 } });
    t.equal(high.status, 422);
    t.match(high.json, { code: 'LIMIT_TOO_HIGH', field: 'limits.wallMs', detail: /at most 60000/ });
  });

  await t.test('the network is for those that ask and are allowed it', async (t) => {
    const refused = await service.submit({ code: '', type: 'python', network: 'host' });
    t.equal(refused.status, 422);
    t.match(refused.json, {
      code: 'NETWORK_NOT_ALLOWED',
      detail: /set runtimes.python.network: host/,
    });
    const { port } = new URL(service.address);
    const code = `exec 3<>/dev/tcp/127.0.0.1/${port} && echo reached`;
    t.match((await run({ type: 'bash', code, network: 'host' })).json, { stdout: 'reached\n' });
    t.equal((await service.execute(code, '?type=bash')).body.toString(), 'reached\n');
  });
});
