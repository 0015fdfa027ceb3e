import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { startWorker, type Worker, type WorkerOptions } from '../../src/worker/worker.js';
import { TestController, token } from './test-controller.js';

interface Test {
  teardown(action: () => unknown): void;
}

export interface Rig {
  worker: Worker;
  controller: TestController;
  /** Of the worker: socket and work directory are in it. */
  folder: string;
  workDirectory: string;
  /** Lines of the worker's log. */
  logged: Record<string, unknown>[];
}

/** A worker of its own with its controller, both gone when the test ends. */
export async function startRig(
  t: Test,
  type: string,
  options: Partial<WorkerOptions> = {},
): Promise<Rig> {
  const folder = temporaryFolder(t);
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line) => logged.push(JSON.parse(line)) });
  const workDirectory = join(folder, 'work');
  const worker = await startWorker({
    name: `${type}-1`,
    type,
    slots: 2,
    listen: `unix:${join(folder, 'w.sock')}`,
    wireToken: token,
    workDirectory,
    isolation: 'none',
    log,
    ...options,
  });
  t.teardown(() => worker.close());
  const controller = await TestController.connect(worker.address);
  t.teardown(() => controller.close());
  return { worker, controller, folder, workDirectory, logged };
}

export function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'scriptd-test-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Until it holds: for what is not announced, such as a process that ends. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await delay(5);
}

/** True while there is such a process, zombies excepted. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

/** Of this process, but for the network namespaces that the addon makes ahead at any time. */
export function openDescriptors(): number {
  return readdirSync('/proc/self/fd').filter((fd) => !isNetwork(fd)).length;
}

function isNetwork(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith('net:[');
  } catch {
    return false; // that of the look itself, which is there each time
  }
}

/** Children of this process that are there, zombies included. */
export function children(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1')
    .split(' ')
    .filter(Boolean)
    .map(Number);
}
