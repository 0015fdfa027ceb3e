import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { Scriptd } from '../../src/client/index.js';
import { begin, scriptd } from './scriptd.js';
import { Service, until } from './service.js';

const service = await Service.start(t, ['--workers', 'bash=2', '--isolation', 'none']);
const cwd = service.dataDir;
const env = { SCRIPTD_URL: service.address };
const client = new Scriptd({ url: service.address });
const run = (args: string[]) => scriptd(['submit', ...args], cwd, { env });

function folder(name: string, files: Record<string, string>): string {
  mkdirSync(join(cwd, name));
  for (const [file, content] of Object.entries(files))
    writeFileSync(join(cwd, name, file), content);
  return name;
}

t.test('every script of a folder runs, and a table says what became of each', async (t) => {
  const scripts = { 'a.sh': 'echo a', b: '#!/bin/bash\nprintf "\\377"; exit 3', 'c.sh': 'exit 0' };
  const jobs = folder('jobs', { ...scripts, README: 'no script', '.hidden.sh': 'exit 1' });
  const ran = await run(['--batch', jobs, '--out', 'results', '--tag', 'jobs']);
  t.equal(ran.code, 1);
  t.match(ran.stdout, /^FILE +STATUS +EXIT +TIME +ID +WHY\na\.sh +success +0 /);
  t.match(ran.stdout, /\nb +runtime_error +3 .*EXIT_NONZERO\nc\.sh +success/);
  t.match(ran.stdout, /\n\n3 scripts: 2 success, 1 runtime_error; 1 other files left out\n$/);
  const read = (name: string) => readFileSync(join(cwd, 'results', name));
  t.equal(readdirSync(join(cwd, 'results')).length, 9);
  t.same([...read('b.stdout')], [0xff], 'byte for byte');
  t.match(JSON.parse(String(read('a.sh.json'))), { outcome: 'success', tags: ['jobs'] });
});

t.test('with --json a line for each, and 0 when all succeeded', async (t) => {
  const ran = await run([
    '--batch',
    folder('good', { 'a.sh': 'echo a', 'b.sh': 'echo b' }),
    '--json',
  ]);
  t.equal(ran.code, 0);
  const lines = ran.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  lines.sort((a, b) => (a.file < b.file ? -1 : 1));
  t.match(lines, [
    { file: 'a.sh', task: { stdout: 'a\n' } },
    { file: 'b.sh', task: { stdout: 'b\n' } },
  ]);
});

t.test('one that is refused stops no other', async (t) => {
  const jobs = folder('mixed', { 'a.sh': 'echo a', 'b.py': 'print(1)' });
  const ran = await run(['--batch', jobs]);
  t.equal(ran.code, 1);
  t.match(ran.stdout, /\na\.sh +success .*\nb\.py +refused .*UNKNOWN_TYPE: .*there are: bash/);
});

t.test('Ctrl-C cancels what has not finished', async (t) => {
  const jobs = folder(
    'slow',
    Object.fromEntries(['a', 'b', 'c'].map((n) => [`${n}.sh`, 'sleep 300'])),
  );
  const child = begin(['submit', '--batch', jobs, '--tag', 'slow'], cwd, { env });
  const errors = text(child.stderr);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const states = async () => {
    const found: (string | undefined)[] = [];
    for await (const { state, outcome } of client.list({ tag: 'slow' }))
      found.push(outcome ?? state);
    return found.sort();
  };
  await until('all are there', async () => (await states()).length === 3);
  child.kill('SIGINT');
  t.equal(await exited, 130);
  t.match(await errors, /cancelling \d tasks/);
  t.same(await states(), ['cancelled', 'cancelled', 'cancelled']);
});

t.test('a folder without scripts, and one that is not there', async (t) => {
  t.match(await run(['--batch', folder('none', { x: 'y' })]), {
    code: 64,
    stderr: /has no scripts/,
  });
  t.match(await run(['--batch', 'missing']), { code: 64, stderr: /cannot be read/ });
  t.match(await run(['--batch', 'none', 'x.sh']), { code: 64, stderr: /leave out FILE/ });
});

t.test('the client on a real service: events, batches, waiting', async (t) => {
  const task = await client.submit({ code: 'echo one; echo two >&2; exit 7', type: 'bash' });
  const events = [];
  for await (const event of client.events(task.id)) events.push(event);
  t.match(events.at(-1), { event: 'end', data: { exitCode: 7, outcome: 'runtime_error' } });
  t.ok(
    events.some(({ event, data }) => event === 'stderr' && 'text' in data && data.text === 'two\n'),
  );
  const last = events.at(-1)?.cursor ?? '';
  for await (const _ of client.events(task.id, { lastEventId: last }))
    t.fail('nothing comes after the end');

  const tasks = Array.from({ length: 20 }, (_, index) => ({ code: `echo ${index}`, type: 'bash' }));
  const told = new Map<number, number[]>();
  for await (const { line, status } of client.batch([...tasks, { code: '', type: 'x' }], {
    waitSeconds: 60,
  }))
    told.set(line, [...(told.get(line) ?? []), status]);
  t.equal(told.size, 21);
  for (let line = 1; line <= 20; line++) t.same(told.get(line), [201, 200], `line ${line}`);
  t.same(told.get(21), [422]);

  t.match(await client.run({ code: 'sleep 0.1; echo done', type: 'bash' }), { stdout: 'done\n' });
  t.match(await client.wait(task.id), { exitCode: 7 });
  const key = { idempotencyKey: 'once' };
  const first = await client.submit({ code: 'echo 1', type: 'bash' }, key);
  t.equal((await client.submit({ code: 'echo 1', type: 'bash' }, key)).id, first.id);
  t.match(await client.explain(task.id), { reason: 'finished' });
  await t.rejects(client.get('01890a5d-ac96-774b-bcce-b302099a8057'), { code: 'UNKNOWN_TASK' });
});
