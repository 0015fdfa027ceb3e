import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Service, until } from './service.js';

const args = ['--workers', 'bash=1', '--isolation', 'none'];

/** A folder that is there until the test has ended. */
function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'scriptd-durable-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const viewOf = async (service: Service, id: string) =>
  (await service.request('GET', `/v1/tasks/${id}`)).json;

const isFinished = (service: Service, id: string) => async () =>
  (await viewOf(service, id)).state === 'finished';

t.test('SIGTERM keeps what is pending, and the next up runs it in order', async (t) => {
  const notes = folder(t);
  const noted = () => readFileSync(join(notes, 'notes'), 'utf8').split('\n').slice(0, -1);
  const code = (name: string) => `echo ${name} >> ${notes}/notes`;
  const dataDir = mkdtempSync(join(tmpdir(), 'scriptd-up-'));
  const first = await Service.start(t, args, undefined, dataDir);
  const waits = `until [ -e ${notes}/go ]; do sleep 0.02; done; ${code('running')}; touch ${notes}/ended`;
  const { json: running } = await first.submit({ type: 'bash', code: waits });
  await until('it runs', () => first.processes().some(({ command }) => /script\.sh/.test(command)));
  const ids: string[] = [];
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  for (const name of names) {
    const { status, json } = await first.submit({ type: 'bash', code: code(name) });
    t.match({ status, ...json }, { status: 201, durability: 'fsync' });
    ids.push(String(json.id));
  }
  const stopped = first.stop();
  await until('the controller drains', () => first.log.includes('draining'));
  writeFileSync(join(notes, 'go'), '');
  t.same(await stopped, { code: 0, signal: null });
  t.ok(existsSync(join(notes, 'ended')), 'what ran was let finish');
  // What the worker had been given ahead may be done too.
  const done = noted();
  t.same(done, ['running', ...names].slice(0, done.length));
  t.ok(done.length < 1 + names.length, 'the rest was kept');
  t.same(first.processes(), []);

  const second = await Service.start(t, args, undefined, dataDir);
  for (const id of ids) {
    await until(`${id} is finished`, isFinished(second, id));
    t.match(await viewOf(second, id), { outcome: 'success', attempts: [{ attempt: 1 }] });
  }
  t.same(noted(), ['running', ...names]);
  t.match(await viewOf(second, String(running.id)), { outcome: 'success', attempt: 1 });
});

t.test('a full disk refuses with 507, loses nothing, and is got over', async (t) => {
  const disk = folder(t);
  const mebibyte = 1024 * 1024;
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${32 * mebibyte}`, 'scriptd-test', disk]);
  t.teardown(() => execFileSync('umount', ['--lazy', disk]));
  const dataDir = join(disk, 'data');
  mkdirSync(dataDir);
  const workers = ['--workers', 'bash=1,noop=1', '--isolation', 'none'];
  const service = await Service.start(t, workers, undefined, dataDir);
  await service.request('POST', '/v1/queues/noop/pause');
  // Its end comes when there is no room to record it.
  const code = `until [ -e ${disk}/go ]; do sleep 0.02; done; echo ended`;
  const { json: running } = await service.submit({ type: 'bash', code });
  const isRunning = () => service.processes().some(({ command }) => /script\.sh/.test(command));
  await until('it runs', isRunning);
  writeFileSync(join(disk, 'later'), '');

  const large = { type: 'noop', code: 'x'.repeat(mebibyte) };
  const ids: string[] = [];
  let answer = await service.submit(large);
  for (; answer.status === 201 && ids.length < 100; answer = await service.submit(large)) {
    ids.push(String(answer.json.id));
  }
  t.ok(ids.length > 0, 'there was room for some');
  t.equal(answer.status, 507);
  t.match(answer.json, {
    code: 'STORE_FULL',
    detail: /no room is left for the store in .*: make some/,
  });
  t.match(await viewOf(service, String(ids[0])), { state: 'pending' }, 'what is there can be read');

  // What the store leaves, somebody else takes.
  execFileSync('sh', ['-c', `cat /dev/zero > ${disk}/filler || true`], { stdio: 'ignore' });
  renameSync(join(disk, 'later'), join(disk, 'go'));
  await until('its script has ended', () => !isRunning());
  await until('it is told', async () => {
    const { json } = await service.request('GET', '/readyz');
    return JSON.stringify(json).includes('its disk is full');
  });
  t.match(
    await viewOf(service, String(running.id)),
    { state: 'running' },
    'its end is not durable',
  );
  process.kill(service.partPid('controller'), 'SIGKILL');
  await until('no other can begin', () => /"code":"STORE_FULL".*no room is left/.test(service.log));
  t.equal((await service.submit(large)).status, 503);

  rmSync(join(disk, 'filler'));
  await until('there is room', async () => {
    return (await service.request('POST', '/v1/queues/noop/resume')).status === 200;
  });
  for (const id of [String(running.id), ...ids]) {
    await until(`${id} is finished`, isFinished(service, id));
    t.match(await viewOf(service, id), { outcome: 'success', attempts: [{ attempt: 1 }] });
  }
  const { json } = await service.submit({ type: 'bash', code: 'echo room' }, '?wait=30');
  t.match(json, { outcome: 'success', stdout: 'room\n' });
});
