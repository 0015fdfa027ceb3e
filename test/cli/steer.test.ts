import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scriptd } from './scriptd.js';
import { Service, until } from './service.js';

const service = await Service.start(t, ['--workers', 'bash=2,python=1', '--isolation', 'none']);
const cwd = service.dataDir;

function script(name: string, code: string): string {
  writeFileSync(join(cwd, name), code);
  return name;
}

const run = (args: string[]) => scriptd(args, cwd, { env: { SCRIPTD_URL: service.address } });

t.test(
  'lists, counts and workers, as tables and as JSON; a type is paused and resumed',
  async (t) => {
    const hostile = ['--tag', 'x\x1b[31m', '--group', 'g\u202e'];
    await run(['submit', script('hostile.sh', 'exit 1'), ...hostile]);
    for (const code of ['exit 1', 'sleep 0.1', 'sleep 0.2']) {
      await service.submit(
        { code, type: 'bash', tags: ['x\x1b[31m'], group: 'g\u202e' },
        '?wait=60',
      );
    }
    const list = await run(['list', '--limit', '3']);
    t.match(list.stdout, /^ID +TYPE +STATUS +CODE/);
    t.match(list.stdout, 'x\\x1b[31m');
    t.match(list.stdout, 'g\\u{202e}');
    t.notOk(list.stdout.includes('\x1b') || list.stdout.includes('\u202e'));
    t.equal(list.stdout.split('\n').length, 5);
    const failed = await run(['list', '--outcome', 'runtime_error', '--json', '--limit', '2']);
    const tasks = failed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.match(tasks, [{ outcome: 'runtime_error' }, { outcome: 'runtime_error' }]);
    const byTime = await run(['list', '--sort', 'time', '--reverse', '--json']);
    const times = byTime.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).usage?.wallMs ?? -1);
    t.same(
      times,
      [...times].sort((a, b) => b - a),
    );
    const found = await run(['list', '--text', 'SLEEP 0.2', '--json']);
    t.match(JSON.parse(found.stdout), { type: 'bash', outcome: 'success' });
    t.match(await run(['list', '--tag', 'nobody']), {
      code: 0,
      stdout: '',
      stderr: 'no task fits\n',
    });

    t.match(await run(['pause', 'bash']), { code: 0, stdout: /^bash paused: / });
    const paused = JSON.parse((await run(['pause', 'bash', '--json'])).stdout);
    t.match(paused, { type: 'bash', paused: true, ready: 0 });
    t.match(await run(['queues']), { stdout: /^TYPE .*\nbash +paused .*\npython +open /s });
    const id = (await run(['submit', '--detach', script('held.sh', 'echo')])).stdout.trim();
    t.match(await run(['explain', id]), { stdout: /paused/ });
    t.match(await run(['cancel', id]), { stdout: `${id} cancelled\n` });
    const again = JSON.parse((await run(['retry', id, '--json'])).stdout);
    t.match(again, { id, state: 'pending' });
    const ended = JSON.parse((await run(['cancel', id, '--json'])).stdout);
    t.match(ended, { id, outcome: 'cancelled' });
    const held = (await run(['submit', '--detach', 'held.sh'])).stdout.trim();
    t.match(await run(['cancel', 'x', held]), {
      code: 1,
      stdout: `${held} cancelled\n`,
      stderr: /^scriptd: x: .*\(INVALID_TASK_ID\)\n$/,
    });
    t.match(await run(['retry', 'x', held]), { code: 1, stdout: `${held} pending\n` });
    t.match(await run(['resume', 'bash']), { stdout: /^bash resumed: / });
    t.match(await run(['resume', 'bash', '--json']), { stdout: /"paused":false/ });
    t.match(await run(['workers']), { stdout: /^ID +TYPE +BUSY.*\nbash-1 +bash +0 +2 /s });
    const [worker = ''] = (await run(['workers', '--json'])).stdout.split('\n');
    t.match(JSON.parse(worker), { id: 'bash-1', isolation: { level: 'none' } });
    t.match(await run(['drain', 'bash-1']), { code: 0, stdout: 'bash-1 drains: 0 running\n' });
    t.match(await run(['drain', 'none']), { code: 1, stderr: /\(UNKNOWN_WORKER\)\n$/ });
    const drained = JSON.parse((await run(['drain', 'python-1', '--json'])).stdout);
    t.match(drained, { id: 'python-1', draining: true });
    const isBack = async () => /bash-1 .* up /.test((await run(['workers'])).stdout);
    await until('another bash worker is there', isBack);
    const top = await run(['top']);
    t.match(top, { code: 0, stdout: /^scriptd http.*\nTYPE.*\nbash.*\n\nID/s });
    t.match(JSON.parse((await run(['top', '--json'])).stdout), { queues: [{}, {}] });
  },
);

t.test('a token is taken from a file or the environment, and asked for', async (t) => {
  const file = join(cwd, 'tokens');
  writeFileSync(file, '# mine\n0123456789abcdef\n');
  const guarded = await Service.start(t, [
    '--workers',
    'bash=1',
    '--isolation=none',
    '--token-file',
    file,
  ]);
  const ask = (args: string[], env = {}) =>
    scriptd(['queues', '--url', guarded.address, ...args], cwd, { env });
  t.match(await ask([]), { code: 77, stderr: /--token-file FILE or SCRIPTD_TOKEN/ });
  t.match(await ask(['--token-file', file]), { code: 0 });
  t.match(await ask([], { SCRIPTD_TOKEN: '0123456789abcdef' }), { code: 0 });
  t.match(await ask(['--token-file', 'none']), { code: 78, stderr: /cannot be read/ });

  const create = ['token', 'create', '--token-file', file, '--name', 'reader', '--scopes', 'read'];
  const token = (await scriptd(create, cwd)).stdout.trim();
  const pause = ['pause', 'bash', '--url', guarded.address];
  // A running daemon follows the file.
  const isKnown = async () => (await ask([], { SCRIPTD_TOKEN: token })).code === 0;
  await until('the new token is known', isKnown);
  t.match(await scriptd(pause, cwd, { env: { SCRIPTD_TOKEN: token } }), {
    code: 77,
    stderr: /scope admin.*INSUFFICIENT_SCOPE/,
  });
});
