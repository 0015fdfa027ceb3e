import type { Clock } from '../clock.js';
import { errorCode, errorMessage } from '../errors.js';
import type { Log } from '../log.js';
import type { Admission, AdmissionRefusal } from '../scheduler/admission.js';
import type { Evaluator } from '../scheduler/own-evaluator.js';
import type { NewTask } from '../scheduler/scheduler.js';
import type { Submitted, TaskStore } from '../store/port.js';
import type { TaskSpec, TaskView } from '../task.js';
import type { Reach } from '../webhooks/reach.js';
import type { Figures } from './figures.js';
import type { Flights } from './flights.js';
import type { FreshTasks } from './fresh-tasks.js';
import { type Accepted, intake } from './intake.js';
import { controllerLimits } from './limits.js';
import type { Policy } from './policy.js';
import { asRefusal, type Refusal, thrown } from './refusal.js';

export interface SubmissionsOptions {
  policies: ReadonlyMap<string, Policy>;
  evaluator: Evaluator;
  /** Where webhooks may lead; absent: nowhere. */
  reach?: Reach;
  store: TaskStore;
  admission: Admission;
  flights: Flights;
  fresh: FreshTasks;
  figures: Figures;
  clock: Clock;
  log: Log;
  /** The task is durable. Called before whoever submitted it hears of that. */
  onStored(task: NewTask): void;
}

interface Submitting {
  accepted: Accepted;
  stored: (view: TaskView, replayed: boolean) => void;
  refused: (refusal: Refusal) => void;
}

/** The way in: a task is checked, let in, and durable before anybody hears that it is taken. */
export class Submissions {
  readonly #options: SubmissionsOptions;
  #waiting: Submitting[] = [];
  #oldestWriteMs = 0;
  /** Why nothing is let in, if so. */
  closed: Refusal | undefined;

  constructor(options: SubmissionsOptions) {
    this.#options = options;
  }

  /** Calls one of the two, once; `flush` has to come for that. */
  submit(
    spec: TaskSpec,
    stored: (view: TaskView, replayed: boolean) => void,
    refused: (refusal: Refusal) => void,
  ): void {
    const accepted = this.check(spec);
    const refusal = 'code' in accepted ? accepted : this.#admit(accepted);
    if (refusal) {
      this.#refuse(refused, refusal);
      return;
    }
    this.#waiting.push({ accepted: accepted as Accepted, stored, refused });
  }

  /** As `submit`, as a promise. */
  submitted(spec: TaskSpec): Promise<TaskView> {
    return new Promise((resolve, reject) => {
      this.submit(spec, resolve, (refusal) => reject(thrown(refusal)));
    });
  }

  /** What would become of the task; changes nothing. */
  check(spec: TaskSpec): Accepted | Refusal {
    const { policies, evaluator, reach, store, clock } = this.#options;
    if (this.closed) return this.closed;
    const { durability } = store;
    const context = { policies, evaluator, durability, ...(reach && { reach }) };
    return intake(spec, { ...context, wallMs: clock.wallMs(), nowMs: clock.monotonicMs() });
  }

  /** Lets a task in that is in the store already; a finished one that is sent again. */
  readmit(bytes: number, group: string | undefined): Refusal | undefined {
    return this.closed ?? this.#refusal(bytes, group);
  }

  /** Hands all that came since the last time to the store, in one batch. */
  flush(): void {
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    const { store } = this.#options;
    store.submit(batch.map(({ accepted }) => accepted.submission)).then(
      (results) => {
        for (const [index, entry] of batch.entries()) this.#stored(entry, results[index]);
      },
      (error: unknown) => {
        for (const entry of batch) this.#failed(entry, error);
      },
    );
  }

  #stored({ accepted, stored, refused }: Submitting, result: Submitted | undefined): void {
    if (result && 'view' in result) {
      const { fresh, figures, onStored } = this.#options;
      figures.submitted(accepted.task.type);
      fresh.add(accepted.submission, accepted.bytes);
      onStored(accepted.task);
      stored(result.view, false);
      return;
    }
    this.#letGo(accepted);
    if (result) this.#replay(result.existing, stored, refused);
  }

  /** The task that was there before, under the same key. */
  #replay(taskId: string, stored: Submitting['stored'], refused: Submitting['refused']): void {
    const { store } = this.#options;
    store.readView(taskId, { bulk: false }).then(
      (view) => {
        if (view) stored(view, true);
        else {
          const message = `its idempotency key stands for task ${taskId}, which is not kept any more: use another`;
          this.#refuse(refused, { code: 'IDEMPOTENCY_KEY_SPENT', message });
        }
      },
      (error: unknown) => this.#refuse(refused, this.#refusalOf(error)),
    );
  }

  #failed({ accepted, refused }: Submitting, error: unknown): void {
    this.#letGo(accepted);
    this.#refuse(refused, this.#refusalOf(error));
  }

  #refuse(refused: Submitting['refused'], refusal: Refusal): void {
    this.#options.figures.refusedWith(refusal.code);
    refused(refusal);
  }

  #refusalOf(error: unknown): Refusal {
    const { log } = this.#options;
    log.error(
      { err: error, code: errorCode(error) },
      `a task is not stored: ${errorMessage(error)}`,
    );
    const message = `the task could not be stored: ${errorMessage(error)}`;
    return asRefusal(error) ?? { code: 'INTERNAL', message };
  }

  #admit({ bytes, task }: Accepted): Refusal | undefined {
    const refusal = this.#refusal(bytes, task.group);
    if (refusal) return refusal;
    const { admission, flights, clock } = this.#options;
    admission.add({ tasks: 1, bytes, ...(task.group !== undefined && { group: task.group }) });
    flights.add(task.id, { bytes, group: task.group }, clock.monotonicMs());
    return undefined;
  }

  #letGo({ task }: Accepted): void {
    const { admission, flights, clock } = this.#options;
    const { bytes, group } = flights.remove(task.id);
    const held = { tasks: 1, bytes, ...(group !== undefined && { group }) };
    admission.remove(held, clock.monotonicMs());
  }

  #refusal(bytes: number, group: string | undefined): Refusal | undefined {
    const { admission, clock, store } = this.#options;
    // Once in a turn: the first of them asks for all.
    if (this.#waiting.length === 0) this.#oldestWriteMs = store.stats().oldestWriteMs;
    const oldestWriteMs = this.#oldestWriteMs;
    if (oldestWriteMs > controllerLimits.storeSlowMs) {
      const message = `the store has not written for ${Math.round(oldestWriteMs)} ms: its disk is slow`;
      return { code: 'STORE_SLOW', message, retryAfterMs: controllerLimits.storeSlowMs };
    }
    const asked = { tasks: 1, bytes, ...(group !== undefined && { group }) };
    const refusal = admission.admit(asked, clock.monotonicMs());
    return refusal && overload(refusal, group);
  }
}

function overload(
  { scope, what, limit, retryAfterMs }: AdmissionRefusal,
  group: string | undefined,
): Refusal {
  const whose = scope === 'all' ? 'this service' : `the group ${JSON.stringify(group ?? '')}`;
  const much = what === 'tasks' ? `${limit} tasks that are` : `${limit} bytes of tasks that are`;
  return {
    code: scope === 'all' ? 'OVERLOADED' : 'GROUP_OVERLOADED',
    message: `${whose} has ${much} not finished, as much as there may be: try again later`,
    retryAfterMs,
  };
}
