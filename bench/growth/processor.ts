import { readdirSync, readFileSync } from 'node:fs';
import type { Service } from '../service.js';

/**
 * Processor time that a service's own processes have had: http daemon, controller and its local
 * workers, without scripts. On a busy machine it says more than the clock.
 */
export class Processor {
  readonly #pids: readonly number[];

  constructor(service: Service) {
    const controller = service.pidOf('controller');
    this.#pids = [service.pidOf('http'), controller, ...workersOf(controller)];
  }

  /** Milliseconds of one processor so far. */
  ms(): number {
    return this.#pids.reduce((sum, pid) => sum + processMs(pid), 0);
  }
}

function workersOf(controller: number): number[] {
  const children = readFileSync(`/proc/${controller}/task/${controller}/children`, 'utf8');
  return children
    .split(' ')
    .filter((pid) => pid !== '')
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('worker'));
}

/** The scheduler's own account of each thread, in ns; /proc/PID/stat counts in steps of 10 ms. */
function processMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const account = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8');
    return sum + Number(account.split(' ')[0]) / 1e6;
  }, 0);
}
