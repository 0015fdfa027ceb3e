import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import t, { type Test } from 'tap';
import { packageRoot } from '../../src/native.js';
import { Service, until } from './service.js';

const service = await Service.start(t, ['--workers', 'bash=1,python=1', '--isolation', 'none']);

interface Called {
  content: { type: string; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
}

/** An agent with a server of its own, both ended with the test. */
async function agent(t: Test) {
  const client = new Client({ name: 'test', version: '1' });
  const program = join(packageRoot, 'bin', 'scriptd');
  const transport = new StdioClientTransport({
    command: 'env',
    args: ['-u', 'NODE_OPTIONS', program, 'mcp', '--url', service.address],
    env: { PATH: process.env.PATH ?? '' },
  });
  await client.connect(transport);
  t.teardown(() => client.close());
  const call = (name: string, args: object, options = {}) =>
    client.callTool({ name, arguments: { ...args } }, undefined, options) as Promise<Called>;
  return { client, call };
}

t.test('an agent sees the tools, and what there is to run scripts with', async (t) => {
  const { client, call } = await agent(t);
  const { tools } = await client.listTools();
  t.same(
    tools.map(({ name }) => name),
    ['run_script', 'get_result', 'list_runtimes'],
  );
  const { structuredContent } = await call('list_runtimes', {});
  t.match(structuredContent, { runtimes: [{ type: 'bash', slots: 1 }, { type: 'python' }] });
});

t.test('a script runs, with input and files, and its verdict comes back', async (t) => {
  const { call } = await agent(t);
  const code = 'cat in.txt; cat; echo err >&2; echo made > out.txt';
  const given = { code, type: 'bash', stdin: 'stdin\n', files: { 'in.txt': 'file\n' } };
  const ran = await call('run_script', { ...given, collect: ['out.txt'] });
  t.match(ran.structuredContent, {
    ...{ outcome: 'success', exitCode: 0, stdout: 'file\nstdin\n', stderr: 'err\n' },
    files: { 'out.txt': { content: 'made\n' } },
  });
  t.match(ran.content[0]?.text, /^success\n\nstdout:\nfile/);
  t.notOk(ran.isError);
  const failed = await call('run_script', { code: 'print(1/0)', type: 'python' });
  t.match(failed, { isError: true, structuredContent: { code: 'EXCEPTION' } });
  t.match(failed.content[0]?.text, /ZeroDivisionError/);
});

t.test('what a script writes fills no more of an answer than it may', async (t) => {
  const { call } = await agent(t);
  const code = `
import sys
for out in (sys.stdout, sys.stderr): out.write('x' * 1_000_000)
for number in range(20): open(f'{number}.txt', 'w').write('y' * 100_000)
open('small.txt', 'w').write('small')`;
  const ran = await call('run_script', { code, type: 'python', collect: ['*.txt'] });
  t.match(ran.structuredContent?.files, {
    'small.txt': { content: 'small', bytes: 5 },
    '7.txt': { bytes: 100_000, leftOut: true, content: undefined },
  });
  // Texts stand in it twice: for agents that read structures, and for those that do not.
  t.ok(JSON.stringify(ran).length < 5 * 70_000, `${JSON.stringify(ran).length} characters`);
});

t.test('a long one is answered with its id, and its result is got later', async (t) => {
  const { call } = await agent(t);
  const begun = await call('run_script', {
    code: 'sleep 300',
    type: 'bash',
    waitSeconds: 0,
  });
  const { id, state } = begun.structuredContent ?? {};
  t.match(state, /pending|running/);
  await service.request('POST', `/v1/tasks/${id}/cancel`);
  const got = await call('get_result', { id });
  t.match(got, { isError: true, structuredContent: { id, state: 'finished' } });
});

t.test('the limits are those of the service, and refusals are for the agent to read', async (t) => {
  const { call } = await agent(t);
  const refused: [string, object, RegExp][] = [
    ['run_script', { code: '', limits: { wallMs: 1e12 } }, /LIMIT_TOO_HIGH/],
    ['run_script', {}, /MISSING_CODE/],
    ['run_script', { code: 'x', type: 'cobol' }, /there are: bash, python/],
    ['run_script', { code: 'x', network: 'allowed', type: 'bash' }, /takes no `network`/],
    ['run_script', { code: 'x', webhook: { url: 'https://example.com/' } }, /takes no `webhook`/],
    ['run_script', { code: 'x', idempotencyKey: 'of-another' }, /takes no `idempotencyKey`/],
    ['run_script', { code: 'x', waitSeconds: 601 }, /waitSeconds/],
    ['get_result', { id: '../queues' }, /UUID/],
    ['get_result', {}, /`id`/],
    ['run_scripts', {}, /there is no tool/],
  ];
  for (const [name, args, text] of refused) {
    const answer = await call(name, args);
    t.equal(answer.isError, true, name);
    t.match(answer.content[0]?.text, text);
  }
});

t.test('what an agent gives up on ends', async (t) => {
  const { call } = await agent(t);
  const abort = new AbortController();
  const asked = { code: 'sleep 300', type: 'bash', waitSeconds: 600 };
  const calling = call('run_script', asked, { signal: abort.signal });
  const listed = async (query: string) => {
    const { json } = await service.request('GET', `/v1/tasks?${query}`);
    return (json.tasks as unknown[]).length;
  };
  await until('it runs', async () => (await listed('state=running')) === 1);
  const before = await listed('outcome=cancelled');
  abort.abort();
  await t.rejects(calling);
  await until('it is ended', async () => (await listed('outcome=cancelled')) > before);
  t.equal(await listed('state=running'), 0);
});
