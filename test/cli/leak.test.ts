import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Service, until } from './service.js';

/** In CI the number that the product promises; else enough to see a leak per task. */
const tasks = process.env.SCRIPTD_TEST_ALL ? 10_000 : 600;
/** Code and results of finished tasks are kept in memory up to a bound; beside it, nothing grows. */
const growthBytesMax = 80 * 1024 * 1024;

interface Held {
  fds: number;
  residentBytes: number;
}

function held(pid: number): Held {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const residentKiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
  return { fds: readdirSync(`/proc/${pid}/fd`).length, residentBytes: residentKiB * 1024 };
}

t.test(`after ${tasks} tasks nothing is left of them`, async (t) => {
  const service = await Service.start(t, ['--workers', 'bash=2', '--log-level', 'warn']);
  const parts = { http: 0, controller: 0, worker: 0 };
  for (const part of Object.keys(parts) as (keyof typeof parts)[]) {
    parts[part] = service.partPid(part);
  }
  const run = async (count: number) => {
    let next = 0;
    const wrong: string[] = [];
    const client = async () => {
      for (let index = next++; index < count; index = next++) {
        const answer = await service.execute(`echo ${index}`, '?type=bash');
        if (answer.body.toString() !== `${index}\n`) wrong.push(answer.body.toString());
      }
    };
    await Promise.all(Array.from({ length: 8 }, client));
    t.same(wrong, []);
  };
  /** How many there are once those that are held ready are there again. */
  const calmProcesses = async () => {
    let seen = -1;
    await until('it is calm', async () => {
      const earlier = seen;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      seen = service.processes().length;
      return seen === earlier;
    });
    return seen;
  };
  // Connections, buffers and compiled code are there after the first.
  await run(200);
  service.disconnect();
  const processes = await calmProcesses();
  const before = Object.fromEntries(Object.entries(parts).map(([part, pid]) => [part, held(pid)]));
  await run(tasks);
  service.disconnect();
  // The removal of the last work directory may follow its answer.
  const workDirectories = () =>
    readdirSync(join(service.dataDir, 'work', 'bash-1'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
  await until('the work directories are gone', () => workDirectories().length === 0);
  t.equal(await calmProcesses(), processes, 'processes');
  for (const [part, pid] of Object.entries(parts)) {
    const then = before[part] as Held;
    await until(`${part} has no more descriptors than before`, () => held(pid).fds <= then.fds);
    const now = held(pid);
    const grown = Math.round((now.residentBytes - then.residentBytes) / 1024);
    t.ok(grown * 1024 < growthBytesMax, `${part} grew by ${grown} KiB`);
  }
});
