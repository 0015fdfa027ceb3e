import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { begin, type Given, scriptd } from './scriptd.js';
import { Service } from './service.js';

const service = await Service.start(t, ['--workers', 'bash=2,python=1', '--isolation', 'none']);
const cwd = service.dataDir;

function script(name: string, code: string): string {
  writeFileSync(join(cwd, name), code);
  return name;
}

const options = (given: Given): Given => ({
  ...given,
  env: { SCRIPTD_URL: service.address, ...given.env },
});
const run = (args: string[], given: Given = {}) => scriptd(args, cwd, options(given));

async function listed(tag: string): Promise<Record<string, unknown>[]> {
  const { json } = await service.request('GET', `/v1/tasks?tag=${tag}`);
  return json.tasks as Record<string, unknown>[];
}

t.test('a script runs as if it ran here: arguments, input, outputs, exit code', async (t) => {
  const code = 'import sys\nprint(sys.argv[1:], sys.stdin.read())\nsys.stderr.write("e")\nexit(3)';
  const name = script('echo.py', code);
  t.same(await run(['submit', name, '--', '-x', '--json', 'b c'], { input: 'line' }), {
    code: 3,
    stdout: "['-x', '--json', 'b c'] line\n",
    stderr: 'e',
  });
  t.match(await run(['submit', name, '--no-stdin'], { input: 'line' }), { stdout: '[] \n' });
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256));
  const copy = begin(['submit', script('copy.sh', 'cat')], cwd, options({ input: noise }));
  const chunks: Buffer[] = [];
  for await (const chunk of copy.stdout) chunks.push(chunk as Buffer);
  t.ok(Buffer.concat(chunks).equals(noise), 'any bytes go in and come out');
});

t.test('the type is that of the shebang, of the extension, or as asked for', async (t) => {
  t.match(await run(['submit', script('a.txt', '#!/bin/bash\necho $((1+1))')]), { stdout: '2\n' });
  t.match(await run(['submit', script('b.py', '#!/bin/bash\necho $((1+2))')]), { stdout: '3\n' });
  const typed = ['submit', '--type', 'bash', script('c.py', 'echo $((1+3))')];
  t.match(await run(typed), { stdout: '4\n' });
  t.match(await run(['submit', '-', '--type', 'bash'], { input: 'echo in' }), { stdout: 'in\n' });
});

t.test('variables, files, limits and the rest reach it', async (t) => {
  script('data.txt', 'content');
  const name = script('given.sh', 'echo $A $HERE; cat data.txt other/x');
  const args = [
    '--env',
    'A=1=2',
    '--env',
    'HERE',
    '--file',
    'data.txt',
    '--file',
    'other/x=data.txt',
  ];
  const more = ['--tag', 'given', '--group', 'g', '--priority', '-3', '--limit', 'wallMs=9000'];
  t.match(await run(['submit', ...args, ...more, name], { env: { HERE: 'there' } }), {
    ...{ code: 0, stdout: '1=2 there\ncontentcontent', stderr: '' },
  });
  t.match(await listed('given'), [{ group: 'g', priority: -3, limits: { wallMs: 9_000 } }]);
});

t.test(
  'a script that is killed has the exit code of a shell, and its verdict is told',
  async (t) => {
    const killed = await run(['submit', script('kill.sh', 'echo out; kill -TERM $$')]);
    t.match(killed, { code: 143, stdout: 'out\n', stderr: /^scriptd: .*SIGTERM.*\(SIGNALED\)\n$/ });
    const endless = script('endless.sh', 'while :; do :; done');
    const limited = await run(['submit', endless, '--limit', 'wallMs=200']);
    t.match(limited, { code: 137, stderr: /wall limit is 200 ms.*\(WALL_LIMIT\)\n$/ });
  },
);

t.test('output comes while it runs; Ctrl-C cancels, and says so', async (t) => {
  const name = script('slow.sh', 'echo one; sleep 300; echo never');
  const child = begin(['submit', name, '--tag', 'slow'], cwd, options({}));
  const errors = text(child.stderr);
  const [first] = await once(child.stdout, 'data');
  t.equal(String(first), 'one\n');
  // As with timeout(1): to the process, and to its group.
  child.kill('SIGINT');
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  t.equal(code, 130);
  t.match(await errors, /cancelling \S+; once more leaves it alone\n.*\(CANCELLED\)/s);
  t.match(await listed('slow'), [{ state: 'finished', outcome: 'cancelled' }]);
});

t.test('who is asked again later leaves the task alone', async (t) => {
  // The service is not there to cancel it.
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/cancel')) return;
    response.writeHead(request.method === 'POST' ? 201 : 200, {
      'content-type': request.method === 'POST' ? 'application/json' : 'text/event-stream',
    });
    if (request.method === 'POST') response.end(JSON.stringify({ id: 'x', state: 'pending' }));
    else response.write(': nothing\n\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close().closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const followed = once(server, 'request').then(() => once(server, 'request'));
  const args = ['submit', script('alone.sh', 'echo'), '--url', `http://127.0.0.1:${port}`];
  const child = begin(args, cwd, options({}));
  const errors = text(child.stderr);
  const exited = once(child, 'exit');
  await followed;
  const asking = setInterval(() => child.kill('SIGINT'), 100);
  t.teardown(() => clearInterval(asking));
  t.equal((await exited)[0], 130);
  t.match(await errors, /^scriptd: cancelling x; .*\nscriptd: left alone: .*\n$/);
});

t.test('who leaves with the reader of its output leaves no task behind', async (t) => {
  const name = script('yes.sh', 'while echo yes; do sleep 0.01; done');
  const child = begin(['submit', name, '--tag', 'yes'], cwd, options({}));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  t.equal(code, 141);
  t.match(await listed('yes'), [{ outcome: 'cancelled' }]);
});

t.test('--detach prints the id; logs, get and explain tell of it', async (t) => {
  const name = script('later.sh', 'echo out; echo err >&2; exit 2');
  const id = (await run(['submit', '--detach', name])).stdout.trim();
  t.match(id, /^[0-9a-f-]{36}$/);
  t.match(await run(['logs', '-f', id]), { code: 2, stdout: 'out\n', stderr: 'err\n' });
  t.match(await run(['logs', id]), { code: 0, stdout: 'out\n', stderr: 'err\n' });
  t.match(await run(['logs', '--stderr', id]), { stdout: '', stderr: 'err\n' });
  const got = await run(['get', '--wait', id]);
  t.match(got, { code: 0, stdout: /status +runtime_error\ncode +EXIT_NONZERO/ });
  t.match(JSON.parse((await run(['get', '--json', id])).stdout), { id, exitCode: 2 });
  t.match(await run(['explain', id]), { stdout: /^finished: / });
  t.match(JSON.parse((await run(['explain', '--json', id])).stdout), { reason: 'finished' });
  t.match(await run(['cancel', id]), { code: 1, stderr: /ALREADY_FINISHED/ });
  t.match(await run(['retry', id]), { code: 0, stdout: new RegExp(`^${id} `) });
  t.match(await run(['get', '--wait', '--json', id]), { stdout: /"attempt":2/ });
});

t.test('--json prints the finished task instead of its output', async (t) => {
  const ran = await run(['submit', '--json', script('json.sh', 'echo out; exit 5')]);
  t.equal(ran.code, 5);
  t.match(JSON.parse(ran.stdout), { state: 'finished', stdout: 'out\n', exitCode: 5 });
});

t.test('what cannot be is refused with the cure, and runs nothing', async (t) => {
  writeFileSync(join(cwd, 'binary.py'), Buffer.from([0xff, 0xfe]));
  const fine = script('fine.sh', 'echo');
  const cases: [string[], number, RegExp][] = [
    [['submit'], 64, /name the script/],
    [['submit', 'missing.py'], 64, /missing\.py cannot be read/],
    [['submit', 'binary.py'], 64, /not UTF-8/],
    [['submit', '/dev/zero'], 64, /more than 4194304 bytes/],
    [['submit', fine, '--file', 'x=/dev/zero'], 64, /more than 4194304 bytes/],
    [['submit', fine, '--env', 'A B=1'], 64, /write NAME=VALUE/],
    [['submit', '--batch', cwd, '--out', fine], 64, /--out fine.sh cannot be made a folder/],
    [['submit', fine, '--limit', 'wallMs'], 64, /NAME=NUMBER/],
    [['submit', fine, '--limit', 'walMs=5'], 1, /did you mean `limits.wallMs`/],
    [['submit', fine, '--priority', 'x'], 64, /whole number/],
    [['submit', fine, '--out', 'x'], 64, /--batch/],
    [['submit', fine, '--type', 'cobol'], 1, /there are: bash, python/],
    [['get', 'x'], 1, /UUID/],
    [['list', '--limit', 'x'], 64, /--limit/],
    [['list', '--sort', 'colour'], 64, /Allowed choices are id, type/],
    [['list', '--url', 'nowhere'], 64, /write http:\/\/HOST:PORT/],
    [['pause', 'cobol'], 1, /UNKNOWN_TYPE/],
    [['submit', fine, '--url', 'http://127.0.0.1:1'], 69, /start one with `scriptd up`/],
  ];
  const answers = await Promise.all(cases.map(([args]) => run(args)));
  for (const [index, [args, code, stderr]] of cases.entries()) {
    t.match(answers[index], { code, stdout: '', stderr }, args.join(' '));
  }
});
