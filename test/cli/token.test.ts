import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { type Answer, Service, until } from './service.js';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function folderOf(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'scriptd-token-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** `scriptd token …`, in a folder of its own, where no scriptd.yaml is. */
function token(cwd: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd'), 'token'];
    const child = spawn('env', [...clean, ...args], { cwd });
    const ended: Ended = { code: null, stdout: '', stderr: '' };
    child.stdout.on('data', (text) => {
      ended.stdout += String(text);
    });
    child.stderr.on('data', (text) => {
      ended.stderr += String(text);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ended, code }));
  });
}

t.test('a token is made, listed and revoked, and the file never has it', async (t) => {
  const folder = folderOf(t);
  const at = ['--token-file', 'tokens'];
  const rights = ['--scopes', 'submit', '--group', 'ci \u001b[2J', '--expires', '30d'];
  const made = await token(folder, 'create', ...at, '--name', 'ci', ...rights, '--rate', '2.5');
  t.equal(made.code, 0, made.stderr);
  t.match(made.stdout, /^scriptd_[0-9A-Za-z]{49}\n$/, 'the token alone');
  t.match(made.stderr, /ci {2}submit {2}group "ci .*" {2}2.5\/s, 3 at once {2}expires/);
  t.notMatch(made.stderr, '\u001b', 'no terminal is told what to do');
  const file = join(folder, 'tokens');
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.notMatch(readFileSync(file, 'utf8'), made.stdout.trim());

  const second = await token(
    folder,
    'create',
    ...at,
    '--name',
    'ops',
    '--scopes',
    'admin',
    '--json',
  );
  const { token: secret, ...shown } = JSON.parse(second.stdout) as Record<string, unknown>;
  t.match(secret, /^scriptd_/);
  const { stdout } = await token(folder, 'list', ...at, '--json');
  const listed = JSON.parse(stdout) as { tokens: Record<string, unknown>[]; plain: number };
  t.match(listed, {
    tokens: [
      { name: 'ci', scopes: ['submit'], group: 'ci \u001b[2J', rate: { perSecond: 2.5, burst: 3 } },
      shown,
    ],
    plain: 0,
  });
  t.notMatch(stdout, 'sha256');
  t.match((await token(folder, 'list', ...at)).stdout, /^\w{8} {2}ci .*\n\w{8} {2}ops {2}admin\n$/);

  t.equal((await token(folder, 'revoke', String(shown.id), ...at)).code, 0);
  t.equal((await token(folder, 'revoke', 'ci', ...at)).code, 0);
  t.equal(readFileSync(file, 'utf8'), '');
  const gone = await token(folder, 'revoke', 'ci', ...at);
  t.match(gone.stderr, /has no token ci.*UNKNOWN_TOKEN/);
  t.equal(gone.code, 1);
  t.same(readdirSync(folder), ['tokens'], 'nothing is left behind');
});

t.test('what cannot be is refused with the cure, and changes nothing', async (t) => {
  const folder = folderOf(t);
  const at = ['--token-file', 'tokens'];
  await token(folder, 'create', ...at, '--name', 'there');
  const before = readFileSync(join(folder, 'tokens'), 'utf8');
  const create = ['create', ...at, '--name'];
  const cases: [string[], RegExp, number][] = [
    [['create', ...at], /--name/, 64],
    [['create', '--name', 'x'], /no file of tokens is named: give --token-file/, 78],
    [[...create, 'there'], /name there already/, 64],
    [[...create, 'a b'], /`name`/, 64],
    [[...create, 'x', '--scopes', 'submit,write'], /one of: submit, read, admin/, 64],
    [[...create, 'x', '--scopes', 'admin', '--group', 'g'], /leave one out/, 64],
    [[...create, 'x', '--group', ''], /`group`/, 64],
    [[...create, 'x', '--expires', '2020-01-01T00:00:00Z'], /has passed/, 64],
    [[...create, 'x', '--expires', '0d'], /write 12h, or 90d/, 64],
    [[...create, 'x', '--expires', '2030-02-30T00:00:00Z'], /`expiresAt` must be a time/, 64],
    [[...create, 'x', '--rate', 'fast'], /must be a number/, 64],
    [[...create, 'x', '--rate', '0'], /`rate.perSecond`/, 64],
    [[...create, 'x', '--burst', '3'], /--burst goes with --rate/, 64],
    [['list', '--token-file', 'nowhere'], /cannot be read.*TOKENS_UNREADABLE/, 78],
    [['create', '--token-file', 'no/where', '--name', 'x'], /cannot be written/, 1],
    [['revoke', ...at], /missing required argument/, 64],
  ];
  for (const [args, message, code] of cases) {
    const ended = await token(folder, ...args);
    t.match(ended.stderr, message, args.join(' '));
    t.equal(ended.code, code, args.join(' '));
    t.equal(ended.stdout, '');
  }
  t.equal(readFileSync(join(folder, 'tokens'), 'utf8'), before);
  t.same(readdirSync(folder), ['tokens']);
});

t.test('of several that change the file at once none is lost', async (t) => {
  const folder = folderOf(t);
  const names = ['a', 'b', 'c', 'd'];
  const at = ['--token-file', 'tokens', '--name'];
  const all = await Promise.all(names.map((name) => token(folder, 'create', ...at, name)));
  for (const { code, stderr } of all) t.equal(code, 0, stderr);
  const lines = readFileSync(join(folder, 'tokens'), 'utf8').trim().split('\n');
  const there = lines.map((line) => (JSON.parse(line) as { name: string }).name);
  t.same(there.sort(), names);
});

t.test('a file keeps its comments, its place behind a link, and who may read it', async (t) => {
  const folder = folderOf(t);
  const real = join(folder, 'real');
  writeFileSync(real, '# ours\n\nan-old-token-in-plain-text\n', { mode: 0o640 });
  chmodSync(real, 0o664);
  symlinkSync('real', join(folder, 'tokens'));
  t.equal((await token(folder, 'create', '--token-file', 'tokens', '--name', 'x')).code, 0);
  t.match(readFileSync(real, 'utf8'), /^# ours\n\nan-old-token-in-plain-text\n\{.*\}\n$/);
  t.equal(statSync(real).mode & 0o777, 0o640, 'nobody else may write it');
  t.same(readdirSync(folder).sort(), ['real', 'tokens']);
  t.match(
    (await token(folder, 'list', '--token-file', 'tokens')).stdout,
    /1 in plain text, with every right: scriptd token migrate/,
  );
});

t.test('a running service takes a new token, and refuses a revoked one', async (t) => {
  const folder = folderOf(t);
  const file = join(folder, 'tokens');
  const old = 'an-old-token-in-plain-text';
  writeFileSync(file, `${old}\n`, { mode: 0o600 });
  const audit = join(folder, 'audit.log');
  const files = ['--token-file', file, '--audit-log', audit];
  const service = await Service.start(t, ['--workers', 'bash=1', ...files]);
  const at = ['--token-file', file];
  const ask = (method: string, path: string, secret: string, body?: string): Promise<Answer> =>
    service.request(method, path, body, {
      authorization: `Bearer ${secret}`,
      ...(path.startsWith('/v1') && body !== undefined && { 'content-type': 'application/json' }),
    });
  const make = async (...args: string[]) =>
    (await token(folder, 'create', ...at, ...args)).stdout.trim();
  const one = await make('--name', 'one', '--group', 'one');
  const two = await make('--name', 'two', '--group', 'two');
  for (const secret of [one, two]) {
    const isTaken = async () => (await ask('GET', '/v1/tasks', secret)).status === 200;
    await until('the new token is taken', isTaken);
  }

  const body = JSON.stringify({ type: 'bash', code: 'echo of one' });
  const submitted = await ask('POST', '/v1/tasks?wait=60', one, body);
  t.match(submitted.json, { group: 'one', outcome: 'success', stdout: 'of one\n' });
  const path = `/v1/tasks/${String(submitted.json.id)}`;
  t.equal((await ask('GET', `${path}/stdout`, one)).body.toString(), 'of one\n');
  t.equal((await ask('GET', `${path}/script`, one)).body.toString(), 'echo of one');
  t.match((await ask('GET', `${path}/spec`, one)).json, { code: 'echo of one', group: 'one' });
  const missing = path.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  for (const [method, end] of [
    ['GET', ''],
    ['GET', '/stdout'],
    ['GET', '/explain'],
    ['GET', '/script'],
    ['GET', '/spec'],
    ['POST', '/cancel'],
    ['POST', '/retry'],
  ] as const) {
    const answer = await ask(method, `${path}${end}`, two);
    const none = await ask(method, `${missing}${end}`, two);
    t.equal(answer.status, 404);
    const id = (text: string) => text.replaceAll(/[0-9a-f-]{36}/g, 'ID');
    t.equal(id(answer.body.toString()), id(none.body.toString()), 'as one that never was');
  }
  t.same((await ask('GET', '/v1/tasks', two)).json, { tasks: [] });
  t.match((await ask('GET', '/v1/tasks', one)).json, { tasks: [{ group: 'one' }] });
  t.equal((await ask('GET', '/execute?type=bash&code=echo', two)).status, 200);
  t.match((await ask('GET', '/v1/tasks', two)).json, { tasks: [{ group: 'two' }] });
  t.equal((await ask('POST', '/v1/queues/bash/pause', one)).json.code, 'INSUFFICIENT_SCOPE');

  const asked = JSON.stringify({ name: 'three', scopes: ['read'] });
  const { status, json: three } = await ask('POST', '/v1/tokens', old, asked);
  t.equal(status, 201);
  t.equal((await ask('GET', path, String(three.token))).status, 200, 'it is taken at once');
  t.match(readFileSync(file, 'utf8'), `"id":"${three.id}"`);
  t.equal((await ask('DELETE', `/v1/tokens/${three.id}`, old)).status, 204);
  t.equal((await ask('GET', path, String(three.token))).status, 401, 'and refused at once');
  t.match((await ask('GET', '/v1/tokens', old)).json, { tokens: { length: 2 }, plain: 1 });

  t.equal((await token(folder, 'migrate', ...at)).code, 0);
  t.notMatch(readFileSync(file, 'utf8'), old);
  t.equal((await token(folder, 'revoke', 'one', ...at)).code, 0);
  await until('it is refused', async () => (await ask('GET', path, one)).status === 401);
  t.equal((await ask('GET', path, old)).status, 200, 'the old one goes on');
  const refused = readFileSync(audit, 'utf8');
  t.match(
    refused,
    /"path":"\/v1\/queues\/bash\/pause","status":403,"code":"INSUFFICIENT_SCOPE","token":"\w{8}"/,
  );
  t.equal(statSync(audit).mode & 0o777, 0o600);
  t.match(refused, `"token":"plain-1","changed":{"id":"${three.id}","name":"three"`);
  for (const secret of [one, two, old, String(three.token)])
    t.notMatch(service.log + refused, secret);
});

const strace = spawnSync('strace', ['-V']).status === 0;
t.test(
  'a token that is revoked stays so when the power fails: the folder is flushed, too',
  { skip: strace ? false : 'strace is not installed' },
  async (t) => {
    const folder = folderOf(t);
    await token(folder, 'create', '--token-file', 'tokens', '--name', 'a', '--scopes', 'read');
    await token(folder, 'create', '--token-file', 'tokens', '--name', 'b', '--scopes', 'read');
    const log = join(folder, 'strace');
    const traced = [
      'strace',
      '-f',
      '-y',
      '-e',
      'trace=?rename,?renameat,?renameat2,fsync',
      '-e',
      'signal=none',
      '-o',
      log,
    ];
    const program = join(packageRoot, 'bin', 'scriptd');
    const command = [...traced, program, 'token', 'revoke', 'a', '--token-file', 'tokens'];
    const { status } = spawnSync('env', ['-u', 'NODE_OPTIONS', ...command], { cwd: folder });
    t.equal(status, 0);
    const calls = readFileSync(log, 'utf8').split('\n');
    const at = (pattern: RegExp) => calls.findIndex((line) => pattern.test(line));
    const found = [
      at(/fsync\(\d+<.*tokens\.new>/),
      at(/rename(at2?)?\(/),
      at(/fsync\(\d+<[^>]*-\w+>/),
    ];
    t.notOk(found.includes(-1), calls.join('\n'));
    t.same(
      found,
      [...found].sort((a, b) => a - b),
      calls.join('\n'),
    );
  },
);
