import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { Service } from './service.js';

function folder(test: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'scriptd-start-'));
  test.teardown(() => rmSync(path, { recursive: true }));
  return path;
}

/** Runs a command that is expected to end by itself. */
function run(args: readonly string[], options: { cwd?: string; env?: object } = {}) {
  const clean = ['-u', 'NODE_OPTIONS', join(packageRoot, 'bin', 'scriptd')];
  const env = { ...process.env, ...options.env };
  const { status, stdout, stderr } = spawnSync('env', [...clean, ...args], {
    encoding: 'utf8',
    env,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  return { status, stdout, stderr };
}

t.test('--help and --version', async (t) => {
  const help = run(['--help']);
  t.equal(help.status, 0);
  for (const command of ['up', 'controller', 'worker', 'http']) t.match(help.stdout, command);
  t.match(run(['up', '--help']).stdout, /--data-dir <dir>.*SCRIPTD_DATA_DIR/s);
  t.match(run(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('a wrong command line or configuration is refused, with the cure', async (t) => {
  const dataDir = folder(t);
  let files = 0;
  const config = (text: string) => {
    const path = join(dataDir, `${++files}.yaml`);
    writeFileSync(path, text);
    return ['up', '--data-dir', dataDir, '--config', path];
  };
  const cases: [string[], RegExp, number, object?][] = [
    [['upp'], /unknown command 'upp'.*Did you mean up\?/s, 64],
    [['up', '--prot', '1'], /Did you mean --port\?/, 64],
    [['up', '--port', 'many'], /--port: `many` is not a number/, 78],
    [['up', '--port', '70000'], /--port: it must be <= 65535/, 78],
    [['up', '--workers', 'python=two'], /TYPE=SLOTS/, 78],
    [['up', '--workers', 'python=1,python=2'], /python is given twice/, 78],
    [['up', '--log-level', 'loud'], /must be one of: trace, debug/, 78],
    [['up', '--config', join(dataDir, 'missing.yaml')], /cannot be read/, 78],
    [config('prot: 1'), /`prot` is not a setting; did you mean port\?/, 78],
    [config('port: [1'), /is not valid YAML/, 78],
    [config('- 1'), /must be a map/, 78],
    [config('port: "x"'), /`x` is not a number/, 78],
    [
      ['up'],
      /SCRIPTD_PROT is not a setting; did you mean SCRIPTD_PORT\?/,
      78,
      { SCRIPTD_PROT: '1' },
    ],
    [['up'], /SCRIPTD_PORT: `x` is not a number/, 78, { SCRIPTD_PORT: 'x' }],
    [['controller', '--data-dir', dataDir], /no workers are configured/, 78],
  ];
  for (const [args, message, status, env] of cases) {
    const result = run(args, { cwd: dataDir, ...(env && { env }) });
    t.match(result.stderr, message, args.join(' '));
    t.equal(result.status, status, args.join(' '));
    t.equal(result.stdout, '', args.join(' '));
  }
});

t.test('without tokens no address but loopback is served', async (t) => {
  const dataDir = folder(t);
  const args = ['up', '--data-dir', dataDir, '--port', '0', '--debug-port', '0'];
  const result = run([...args, '--host', '0.0.0.0', '--workers', 'bash=1']);
  t.equal(result.status, 78);
  t.match(result.stderr, /--token-file.*--no-auth|--no-auth.*--token-file/s);
  t.equal(result.stdout, '');
});

t.test('a port that is in use ends it, with the reason', async (t) => {
  const dataDir = folder(t);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  // Not spawnSync: the port is held by this process, and must stay so.
  const result = run(['up', '--data-dir', dataDir, '--port', String(port), '--workers', 'bash=1']);
  server.close();
  t.equal(result.status, 69);
  t.match(result.stderr, new RegExp(`127.0.0.1:${port}`));
});

t.test('a worker whose interpreter is missing ends it, with the cure', async (t) => {
  const dataDir = folder(t);
  const config = join(dataDir, 'scriptd.yaml');
  writeFileSync(config, 'runtimes: { ruby: { command: [no-such-ruby] } }\nworkers: { ruby: 1 }\n');
  const args = [
    'up',
    '--data-dir',
    dataDir,
    '--config',
    config,
    '--port',
    '0',
    '--debug-port',
    '0',
  ];
  const result = run(args);
  t.equal(result.status, 78);
  t.match(result.stderr, /no-such-ruby/);
});

t.test('a second one on the same folder is refused, and the first goes on', async (t) => {
  const service = await Service.start(t, ['--workers', 'bash=1']);
  const args = ['up', '--data-dir', service.dataDir, '--port', '0', '--debug-port', '0'];
  const result = run([...args, '--workers', 'bash=1']);
  t.equal(result.status, 69);
  t.match(result.stderr, /EADDRINUSE|in use|already/);
  const answer = await service.execute('echo still here', '?type=bash');
  t.equal(answer.body.toString(), 'still here\n');
});

t.test('a command from the configuration executes its type', async (t) => {
  const config = join(folder(t), 'scriptd.yaml');
  writeFileSync(
    config,
    'runtimes:\n  awk: { command: [awk, -f, "{script}"], extension: .awk, env: { GREETING: hello } }\n' +
      'workers: { awk: 1 }\n',
  );
  const service = await Service.start(t, ['--config', config]);
  const answer = await service.execute('BEGIN { print ENVIRON["GREETING"], 6 * 7 }', '?type=awk');
  t.equal(answer.body.toString(), 'hello 42\n');
});

t.test('with tokens, only who shows one may run code', async (t) => {
  const tokenFile = join(folder(t), 'tokens');
  writeFileSync(tokenFile, 'correct-horse-battery-staple\n', { mode: 0o600 });
  const service = await Service.start(t, ['--workers', 'bash=1', '--token-file', tokenFile]);
  const path = '/execute?type=bash&code=echo';
  t.equal((await service.request('GET', path)).status, 401);
  const wrong = { authorization: 'Bearer correct-horse-battery-stapler' };
  t.equal((await service.request('GET', path, undefined, wrong)).status, 401);
  const right = { authorization: 'Bearer correct-horse-battery-staple' };
  t.equal((await service.request('GET', path, undefined, right)).status, 200);
});
