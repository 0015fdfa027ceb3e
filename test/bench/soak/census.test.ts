import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import t from 'tap';
import { type Census, counted, takeCensus } from '../../../bench/soak/census.js';
import { heldBy, treeOf, wordsOf } from '../../../bench/soak/proc.js';
import { Service, until } from '../../cli/service.js';
import { lackingForStrict } from '../../worker/strict-host.js';

t.test('a process, what it holds, and what descends from it', async (t) => {
  const before = heldBy(process.pid);
  const fd = openSync('/dev/null', 'r');
  t.equal(heldBy(process.pid).descriptors, before.descriptors + 1);
  closeSync(fd);
  t.ok(before.anonymousBytes > 1024 * 1024);
  t.ok(before.threads > 1);
  const child = spawn('sh', ['-c', 'sleep 60 & wait'], { stdio: 'ignore', detached: true });
  const { pid = 0 } = child;
  t.teardown(() => process.kill(-pid, 'SIGKILL'));
  // A child has its parent's words until it has become its program.
  await until('sh has its child', () => wordsOf(treeOf(pid)[1] ?? 0).join(' ') === 'sleep 60');
  t.equal(treeOf(pid).length, 2);
  t.ok(treeOf(process.pid).includes(pid));
});

t.test('what has ended holds nothing', async (t) => {
  const child = spawn('true', { stdio: 'ignore' });
  const { pid = 0 } = child;
  await once(child, 'exit');
  t.same(heldBy(pid), { anonymousBytes: 0, descriptors: 0, threads: 0 });
  t.same(wordsOf(pid), []);
  t.same(treeOf(pid), [pid]);
});

t.test(
  'a running script counts, and not any more after its end',
  { skip: lackingForStrict() },
  async (t) => {
    const service = await Service.start(t, ['--workers', 'bash=2,noop=1', '--log-level', 'warn']);
    const take = () => takeCensus(service.child.pid ?? 0, service.dataDir);
    await service.execute('echo 1', '?type=bash');
    service.disconnect();
    let before = take();
    // Until what is held ready is there again.
    await until('it is calm', async () => {
      const earlier = before;
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      before = take();
      return JSON.stringify(before) === JSON.stringify(earlier);
    });
    t.same([...before.parts.keys()].sort(), [
      ...['controller', 'http', 'up', 'worker bash-1', 'worker noop-1'],
    ]);
    const { json } = await service.submit({ type: 'bash', code: 'sleep 60 & sleep 60' });
    await until('its processes are there', () => take().processes >= before.processes + 2);
    await until('it has cgroups beside those made ahead', () => take().cgroups > before.cgroups);
    await service.request('POST', `/v1/tasks/${json.id}/cancel`);
    service.disconnect();
    // Removals go on after the answer; what stays is told by the comparison.
    await until('its files and processes are gone', () => {
      const now = take();
      return now.files === before.files && now.processes === before.processes;
    });
    for (const what of counted) await until(what, () => take()[what] === before[what]);
    t.same(counts(take()), counts(before));
  },
);

function counts(census: Census) {
  return counted.map((what) => [what, census[what]]);
}
