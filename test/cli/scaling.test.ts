import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { scriptd } from './scriptd.js';
import { Service, until } from './service.js';

const config = `
scaling:
  bash: {min: 0, max: 3, cooldownMs: 500}
`;
const args = ['--workers', 'bash=1,noop=1', '--isolation', 'none'];

/** Ids of connected workers for bash, sorted. */
async function crew(service: Service): Promise<string[]> {
  const { json } = await service.request('GET', '/v1/workers');
  const workers = json.workers as { id: string; type: string }[];
  const ours = workers.filter(({ type }) => type === 'bash');
  return ours.map(({ id }) => id).sort();
}

async function submit(service: Service, code: string): Promise<string> {
  const { json } = await service.submit({ type: 'bash', code, limits: { wallMs: 120_000 } });
  return json.id as string;
}

/** A script that ends once there is a file. */
function gateOf(service: Service): { go: string; code: string } {
  const go = join(service.dataDir, 'go');
  return { go, code: `until [ -e ${go} ]; do sleep 0.05; done` };
}

/** Outcomes of the attempts that had begun. */
async function finished(service: Service, id: string) {
  let task: Record<string, unknown> = {};
  await until('it is finished', async () => {
    task = (await service.request('GET', `/v1/tasks/${id}`)).json;
    return task.state === 'finished';
  });
  // One that was taken ahead and handed back has no outcome.
  const attempts = task.attempts as { outcome?: string }[];
  return attempts.flatMap(({ outcome }) => outcome ?? []);
}

t.test('workers of this host follow the load, from none to the most and back', async (t) => {
  const service = await Service.start(t, args, config);
  t.same(await crew(service), [], 'ready without any');
  const { go, code } = gateOf(service);
  const ids = await Promise.all(Array.from({ length: 6 }, () => submit(service, code)));
  let most = 0;
  await until('there are three', async () => {
    most = Math.max(most, (await crew(service)).length);
    const { status } = await service.request('GET', '/readyz');
    if (status !== 200) t.fail(`/readyz says ${status} while the first worker starts`);
    return most === 3;
  });
  t.same(await crew(service), ['bash-1', 'bash-2', 'bash-3']);
  writeFileSync(go, '');
  for (const id of ids) {
    t.same(await finished(service, id), ['success'], 'none was drained busy');
  }
  await until('there are none', async () => (await crew(service)).length === 0);
  await until('their processes have gone', () => {
    return service.processes().every(({ command }) => !command.includes('--type=bash'));
  });
  const again = await submit(service, 'echo again');
  t.same(await finished(service, again), ['success'], 'and back from none');
});

t.test('a controller that is started again finds the workers beyond the least', async (t) => {
  const service = await Service.start(t, args, config);
  const { go, code } = gateOf(service);
  const ids = await Promise.all(Array.from({ length: 3 }, () => submit(service, code)));
  await until('there are three', async () => (await crew(service)).length === 3);
  await until('each has its task', async () => {
    const { json } = await service.request('GET', '/v1/tasks?state=running');
    return (json.tasks as unknown[]).length === 3;
  });
  process.kill(service.partPid('controller'), 'SIGKILL');
  writeFileSync(go, '');
  for (const id of ids) {
    t.same(await finished(service, id), ['success'], 'it went on');
  }
  await until('there are none', async () => (await crew(service)).length === 0);
});

t.test('bounds that make no sense are refused', async (t) => {
  const refused = async (text: string, more: readonly string[] = []) => {
    const folder = mkdtempSync(join(tmpdir(), 'scriptd-bounds-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'scriptd.yaml'), text);
    const flags = ['controller', '--data-dir', folder, '--workers', 'bash=1', ...more];
    const { code, stderr } = await scriptd(flags, folder);
    t.equal(code, 78);
    return stderr;
  };
  t.match(await refused('scaling: {bash: {min: 3, max: 1}}'), /scaling.bash.min.*lower/);
  t.match(await refused('scaling: {node: {min: 0, max: 1}}'), /no workers of that type/);
  t.match(
    await refused('scaling: {bash: {min: 0, max: 1}}', ['--manager', 'none']),
    /leave it out/,
  );
  const remote = '{name: bash-2, type: bash, slots: 1, address: "unix:/nowhere"}';
  const twice = `remoteWorkers: [${remote}]\nscaling: {bash: {min: 0, max: 2}}`;
  t.match(await refused(twice), /two workers of the name bash-2/, 'though there is none yet');
  const ids = ['--first-script-id', '2147000000'];
  t.match(await refused('scaling: {bash: {min: 0, max: 100}}', ids), /firstScriptId.*lower/s);
});

t.test('a worker that is drained makes room for another, where the load wants one', async (t) => {
  const bounds = 'scaling:\n  bash: {min: 1, max: 1}\n';
  const service = await Service.start(t, args, bounds);
  await until('the first is there', async () => (await crew(service)).length === 1);
  const first = service.partPid('worker', 'bash-1');
  const { status } = await service.request('POST', '/v1/workers/bash-1/drain');
  t.equal(status, 202);
  await until('another is there', async () => {
    const { json } = await service.request('GET', '/v1/workers');
    const workers = json.workers as { type: string; pid: number; draining: boolean }[];
    return workers.some(({ type, pid, draining }) => {
      return type === 'bash' && pid !== first && !draining;
    });
  });
  const id = await submit(service, 'echo after');
  t.same(await finished(service, id), ['success']);
});
