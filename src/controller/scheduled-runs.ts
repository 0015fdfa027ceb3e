import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { type ScheduleSpec, scheduledTaskFault } from '../schedule.js';
import { mayPass, type Refusal, thrown } from './refusal.js';
import type { DueRun, Schedules } from './schedules.js';
import type { Submissions } from './submissions.js';

export interface ScheduledRunsOptions {
  schedules: Schedules;
  submissions: Submissions;
  clock: Clock;
  log: Log;
}

/** Submits the runs of schedules as they become due. */
export class ScheduledRuns {
  readonly #options: ScheduledRunsOptions;

  constructor(options: ScheduledRunsOptions) {
    this.#options = options;
  }

  /** Rejected with what is wrong with the task, or what intake would say of it, too. */
  async put(how: 'create' | 'put', schedule: ScheduleSpec) {
    const { schedules, submissions, clock } = this.#options;
    const fault = scheduledTaskFault(schedule.task);
    if (fault) throw inTask({ code: 'INVALID_FIELD', ...fault });
    const checked = submissions.check(schedule.task);
    if ('code' in checked) throw inTask(checked);
    return await schedules.put(how, schedule, clock.wallMs());
  }

  /** Schedules go by the wall clock, which may jump: so they are looked at again and again. */
  submitDue(): void {
    const { schedules, submissions, clock } = this.#options;
    if (submissions.closed) return;
    for (const run of schedules.takeDue(clock.wallMs())) void this.#submit(run);
  }

  async #submit(run: DueRun): Promise<void> {
    const { schedules, submissions, log } = this.#options;
    const { id, task } = run.schedule;
    try {
      const idempotencyKey = `schedule:${id}:${run.runAt}`;
      const view = await submissions.submitted({ ...task, idempotencyKey });
      await schedules.note(run, view.id);
    } catch (error) {
      log.error({ err: error, schedule: id }, `a run of schedule ${id} was not submitted`);
      if (mayPass(error)) schedules.putBack(run);
    }
  }
}

function inTask(refusal: Refusal) {
  const { message, field } = refusal;
  return thrown({
    ...refusal,
    message: `in \`task\`: ${message}`,
    ...(field !== undefined && { field: `task.${field}` }),
  });
}
