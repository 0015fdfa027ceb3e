import type { CancelCause } from '../../src/scheduler/endings.js';
import {
  type Action,
  type Inventory,
  type NewTask,
  type RestoredTask,
  Scheduler,
  type SchedulerOptions,
} from '../../src/scheduler/scheduler.js';
import type { AttemptKey, Result } from '../../src/task.js';

export const wallMs = 10_000;

/** A UUID for the name of a task in a test: names are read more easily. At most 12 letters. */
export function idOf(name: string): string {
  const hex = Buffer.from(name).toString('hex').padEnd(24, '0').slice(0, 24);
  return `00000000-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8, 12)}-${hex.slice(12)}`;
}

export function nameOf(id: string): string {
  return Buffer.from(id.slice(9).replaceAll('-', ''), 'hex').toString().replaceAll('\0', '');
}

export function resultOf(outcome: Result['outcome'] = 'success', code?: Result['code']): Result {
  return {
    outcome,
    ...(code && { code }),
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    truncated: { stdout: false, stderr: false },
    phases: { startMs: 0, runMs: 0, drainMs: 0 },
  };
}

export const kinds = (actions: readonly Action[]) => actions.map(({ type }) => type);

/** The tasks that were dispatched, in order. */
export const dispatched = (actions: readonly Action[]) =>
  actions.flatMap((action) => (action.type === 'dispatch' ? [action.taskId] : []));

/** A scheduler whose tasks have names, on a clock that the test turns. */
export class Rig {
  readonly scheduler: Scheduler;

  constructor(options: Partial<SchedulerOptions> = {}) {
    this.scheduler = new Scheduler({ random: () => 0.5, ...options });
  }

  task(name: string, more: Partial<NewTask> = {}): void {
    const task = { type: 'python', priority: 0, createdAt: 0, wallMs };
    this.scheduler.submit({ ...task, ...more, id: idOf(name) });
  }

  restore(name: string, more: Partial<RestoredTask>, moment = { nowMs: 0, wallMs: 0 }): void {
    const task = { type: 'python', priority: 0, createdAt: 0, wallMs, attempt: 0, workerDeaths: 0 };
    this.scheduler.restore({ ...task, state: 'pending', ...more, id: idOf(name) }, moment);
  }

  worker(id: string, slots = 1, more: Partial<Inventory> = {}, nowMs = 0): void {
    const ided = (keys: readonly AttemptKey[]) =>
      keys.map(({ taskId, attempt }) => ({ taskId: idOf(taskId), attempt }));
    const { running = [], unacknowledged = [], ...offer } = more;
    this.scheduler.connect(
      {
        ...{ id, type: 'python', slots, ...offer },
        ...{ running: ided(running), unacknowledged: ided(unacknowledged) },
      },
      nowMs,
    );
  }

  started(workerId: string, name: string, attempt: number, nowMs: number): void {
    this.scheduler.started(workerId, { taskId: idOf(name), attempt }, nowMs);
  }

  result(
    workerId: string,
    name: string,
    attempt: number,
    nowMs: number,
    outcome?: Result['outcome'],
    code?: Result['code'],
  ): void {
    const key = { taskId: idOf(name), attempt };
    this.scheduler.result(workerId, key, resultOf(outcome, code), nowMs);
  }

  recalled(workerId: string, name: string, attempt: number, nowMs: number): void {
    this.scheduler.recalled(workerId, { taskId: idOf(name), attempt }, nowMs);
  }

  cancel(name: string, nowMs: number, cause: CancelCause = 'caller'): boolean {
    return this.scheduler.cancel(idOf(name), cause, nowMs);
  }

  explain(name: string, nowMs: number) {
    return this.scheduler.explain(idOf(name), nowMs);
  }

  stateOf(name: string) {
    return this.scheduler.stateOf(idOf(name));
  }

  /** What was decided, with the names of the tasks. */
  take(nowMs: number): Action[] {
    return this.scheduler
      .take(nowMs)
      .map((action) =>
        'taskId' in action ? { ...action, taskId: nameOf(action.taskId) } : action,
      );
  }
}
