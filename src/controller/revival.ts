import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../clock.js';
import { ScriptdError } from '../errors.js';
import type { Admission } from '../scheduler/admission.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { IndexRecord, TaskStore } from '../store/port.js';
import type { Retry, TaskView } from '../task.js';
import type { Flights } from './flights.js';
import { thrown, unknownTask } from './refusal.js';
import type { Submissions } from './submissions.js';

export interface RevivalOptions {
  store: TaskStore;
  scheduler: Scheduler;
  submissions: Submissions;
  admission: Admission;
  flights: Flights;
  clock: Clock;
}

/** Tasks that come out of the store again: not finished by an earlier controller, or sent again. */
export class Revival {
  readonly #options: RevivalOptions;

  constructor(options: RevivalOptions) {
    this.#options = options;
  }

  /**
   * Takes back all tasks that are not finished, and returns how many there are.
   *
   * @throws ScriptdError STORE_CORRUPT
   */
  async restore(): Promise<number> {
    const { store, scheduler, flights } = this.#options;
    const { pending, running } = store.stats();
    scheduler.reserve(pending + running);
    flights.reserve(pending + running);
    let tasks = 0;
    for await (const records of store.unfinished()) {
      const moment = this.#moment();
      for (const record of records) {
        scheduler.restore(record, moment);
        this.#resume(record);
      }
      tasks += records.length;
      // Workers and clients that come meanwhile are answered.
      await setImmediate();
    }
    return tasks;
  }

  /** As ClientRequests has it. */
  async retry(taskId: string): Promise<TaskView> {
    const { store, flights, submissions } = this.#options;
    const [spec, view] = await Promise.all([
      store.readSpec(taskId),
      store.readView(taskId, { bulk: false }),
    ]);
    if (!view || !spec) throw unknownTask(taskId);
    if (view.state !== 'finished' || flights.has(taskId)) {
      throw new ScriptdError('NOT_FINISHED', `task ${taskId} is not finished: wait, or cancel it`);
    }
    // It is a task like any other, by the policies of today; but for its times, which are past.
    const { delayMs: _, runAt: __, ...again } = spec;
    const accepted = submissions.check(again);
    if ('code' in accepted) throw thrown(accepted);
    const refusal = submissions.readmit(accepted.bytes, view.group);
    if (refusal) throw thrown(refusal);
    const { expiresAt } = accepted.submission.view;
    const resubmission = { taskId, ...(expiresAt !== undefined && { expiresAt }) };
    const [sent] = await store.resubmit([resubmission]);
    if (!sent) throw new ScriptdError('NOT_FINISHED', `task ${taskId} has been sent again already`);
    this.#takeAgain(sent, accepted.bytes, spec.retry);
    return sent;
  }

  #resume({ id, type, bytes, group, state, attempt, worker, startedAt }: IndexRecord): void {
    const { admission, flights, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    admission.add({ tasks: 1, bytes, ...(group !== undefined && { group }) });
    flights.add(id, { bytes, group }, nowMs);
    if (state === 'running' && worker !== undefined && startedAt !== undefined) {
      flights.resume(id, type, { attempt, worker, startedAt }, nowMs);
    }
  }

  #takeAgain(view: TaskView, bytes: number, retry: Retry | undefined): void {
    const { id, type, priority, score, group, attempt, createdAt, expiresAt, limits } = view;
    const state = 'pending' as const;
    this.#resume({
      ...{ id, type, state, priority, createdAt, wallMs: limits.wallMs, attempt, bytes },
      ...{ attemptsBefore: attempt, workerDeaths: 0 },
      ...(group !== undefined && { group }),
    });
    this.#options.scheduler.resubmit(
      {
        ...{ id, type, state, priority, score, group, wallMs: limits.wallMs, retry, expiresAt },
        ...{ createdAt, attempt, attemptsBefore: attempt, workerDeaths: 0 },
      },
      this.#moment(),
    );
  }

  #moment() {
    const { clock } = this.#options;
    return { nowMs: clock.monotonicMs(), wallMs: clock.wallMs() };
  }
}
