import { cronFault, nextRunAt } from '../cron.js';
import { ScriptdError } from '../errors.js';
import {
  type ScheduleSpec,
  type ScheduleSummary,
  type ScheduleView,
  scheduleLimits,
} from '../schedule.js';
import type { TaskStore } from '../store/port.js';
import { controllerLimits } from './limits.js';
import { thrown } from './refusal.js';

const kind = 'schedule';

/** As it is stored. Times in milliseconds since 1970-01-01 UTC, like all here. */
interface Kept {
  spec: ScheduleSpec;
  /** Runs up to here are submitted, or passed over. */
  doneUntil: number;
  lastRunAt?: number;
  lastTaskId?: string;
}

interface Entry extends Kept {
  /** Undefined while it is not enabled, and when there is none any more. */
  nextRunAt: number | undefined;
}

/** A run that is due. */
export interface DueRun {
  schedule: ScheduleSpec;
  runAt: number;
}

/**
 * The schedules, and when each is due. A run is submitted under an idempotency key of its own, and only
 * then noted: a controller that dies in between submits it again, and it is the same task.
 */
export class Schedules {
  readonly #store: TaskStore;
  readonly #entries = new Map<string, Entry>();
  /** Of each schedule that is being changed, the last of its changes. */
  readonly #changes = new Map<string, Promise<unknown>>();

  constructor(store: TaskStore) {
    this.#store = store;
  }

  async read(): Promise<void> {
    for (const { id, value } of await this.#store.listDocuments(kind)) {
      this.#entries.set(id, withNext(value as Kept));
    }
  }

  /** When the first run is due; undefined when none is. */
  get nextRunAt(): number | undefined {
    let first: number | undefined;
    for (const { nextRunAt: at } of this.#entries.values()) {
      if (at !== undefined && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  list(): ScheduleSummary[] {
    return [...this.#entries.values()]
      .map((entry) => {
        const { task: _, ...summary } = viewOf(entry);
        return summary;
      })
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get(id: string): ScheduleView | undefined {
    const entry = this.#entries.get(id);
    return entry && viewOf(entry);
  }

  /**
   * Fulfilled when it is durable. From `now` on it is due as its cron says.
   *
   * @throws ScriptdError SCHEDULE_EXISTS, TOO_MANY_SCHEDULES, INVALID_FIELD
   */
  put(how: 'create' | 'put', spec: ScheduleSpec, now: number) {
    return this.#inTurn(spec.id, () => this.#put(how, spec, now));
  }

  async #put(how: 'create' | 'put', spec: ScheduleSpec, now: number) {
    const before = this.#entries.get(spec.id);
    if (before && how === 'create') {
      throw new ScriptdError('SCHEDULE_EXISTS', `there is a schedule ${spec.id} already`);
    }
    if (!before && this.#entries.size >= scheduleLimits.schedulesMax) {
      const text = `there are ${this.#entries.size} schedules, as many as there may be`;
      throw new ScriptdError('TOO_MANY_SCHEDULES', text);
    }
    const fault = cronFault(spec.cron, spec.timeZone);
    if (fault) {
      throw thrown({ code: 'INVALID_FIELD', ...fault });
    }
    const { lastRunAt, lastTaskId } = before ?? {};
    const schedule = await this.#keep({
      spec,
      doneUntil: now,
      ...(lastRunAt !== undefined && { lastRunAt }),
      ...(lastTaskId !== undefined && { lastTaskId }),
    });
    return { schedule, created: before === undefined };
  }

  /**
   * Fulfilled when it is durable; undefined: there is none. All else of it stays. One that becomes
   * enabled is due from `now` on: what passed until then is not made up for.
   */
  setEnabled(id: string, enabled: boolean, now: number): Promise<ScheduleView | undefined> {
    return this.#inTurn(id, async () => {
      const entry = this.#entries.get(id);
      if (!entry || entry.spec.enabled === enabled) return entry && viewOf(entry);
      const { nextRunAt: _, ...kept } = entry;
      return await this.#keep({ ...kept, spec: { ...entry.spec, enabled }, doneUntil: now });
    });
  }

  /** False: there was none. */
  delete(id: string): Promise<boolean> {
    return this.#inTurn(id, async () => {
      if (!this.#entries.has(id)) return false;
      await this.#store.deleteDocument(kind, id);
      return this.#entries.delete(id);
    });
  }

  /**
   * Runs to submit now; from here on they count as being dealt with. What is late because nobody was
   * there is treated as the schedule's `missed` says.
   */
  takeDue(now: number): DueRun[] {
    const due: DueRun[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.nextRunAt === undefined || entry.nextRunAt > now) continue;
      const runs = dueRuns(entry, now);
      due.push(...runs.map((runAt) => ({ schedule: entry.spec, runAt })));
      entry.doneUntil = now;
      entry.nextRunAt = next(entry);
    }
    return due;
  }

  /** A run could not be submitted now: it is due again, as its schedule's `missed` says. */
  putBack({ schedule, runAt }: DueRun): void {
    const entry = this.#entries.get(schedule.id);
    // Changed or deleted meanwhile, it is another schedule.
    if (entry?.spec !== schedule) return;
    entry.doneUntil = Math.min(entry.doneUntil, runAt - 1);
    entry.nextRunAt = next(entry);
  }

  /** A run became a task. */
  note({ schedule, runAt }: DueRun, taskId: string): Promise<void> {
    return this.#inTurn(schedule.id, async () => {
      const entry = this.#entries.get(schedule.id);
      // It was deleted meanwhile.
      if (!entry) return;
      entry.lastRunAt = runAt;
      entry.lastTaskId = taskId;
      const { spec, doneUntil, lastRunAt, lastTaskId } = entry;
      const kept: Kept = { spec, doneUntil, lastRunAt, lastTaskId };
      await this.#store.putDocument({ kind, id: spec.id, value: kept });
    });
  }

  /** It holds once it is durable. */
  async #keep(kept: Kept): Promise<ScheduleView> {
    const { id } = kept.spec;
    await this.#store.putDocument({ kind, id, value: kept });
    const entry = withNext(kept);
    this.#entries.set(id, entry);
    return viewOf(entry);
  }

  /**
   * Changes of a schedule are made one after the other. Else one that is being stored would have the
   * next begin with what was there before, and bring that back.
   */
  async #inTurn<T>(id: string, change: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(id);
    const changed = before ? before.then(change, change) : change();
    this.#changes.set(id, changed);
    try {
      return await changed;
    } finally {
      if (this.#changes.get(id) === changed) this.#changes.delete(id);
    }
  }
}

/** Later than this a run has been missed, rather than being about to be submitted. */
const lateMs = 5_000;

function dueRuns({ spec, nextRunAt: first }: Entry, now: number): number[] {
  const runs: number[] = [];
  for (let at = first; at !== undefined && at <= now; ) {
    runs.push(at);
    // Only the newest matter where they are too many.
    if (runs.length > controllerLimits.missedRunsMax) runs.shift();
    at = nextRunAt(spec.cron, spec.timeZone, at);
  }
  const onTime = runs.filter((at) => now - at <= lateMs);
  switch (spec.missed) {
    case 'skip':
      return onTime;
    case 'once':
      return runs.slice(-1);
    case 'all':
      return runs;
  }
}

function withNext(kept: Kept): Entry {
  return { ...kept, nextRunAt: next(kept) };
}

function next({ spec, doneUntil }: Kept): number | undefined {
  return spec.enabled ? nextRunAt(spec.cron, spec.timeZone, doneUntil) : undefined;
}

function viewOf({ spec, nextRunAt: at, lastRunAt, lastTaskId }: Entry): ScheduleView {
  return {
    ...spec,
    ...(at !== undefined && { nextRunAt: at }),
    ...(lastRunAt !== undefined && { lastRunAt }),
    ...(lastTaskId !== undefined && { lastTaskId }),
  };
}
