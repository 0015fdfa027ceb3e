import { cronFault, type RunTimes, runTimes } from '../cron.js';
import { errorMessage, ScriptdError } from '../errors.js';
import type { Log } from '../log.js';
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
  /** Undefined while it is not enabled, when there is none any more, and when none can be told. */
  nextRunAt: number | undefined;
  /** When the run that is due was seen to be. One that has to wait its turn is not late for that. */
  dueSince: number | undefined;
  /** Up to here runs were dealt with before the clock went back; 0: it never did. */
  dealtWithUntil: number;
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
  readonly #log: Log;
  /** Those whose turn was longest ago come first. */
  readonly #entries = new Map<string, Entry>();
  /** Of each schedule that is being changed, the last of its changes. */
  readonly #changes = new Map<string, Promise<unknown>>();
  /** The ids of those that are being stored for the first time. */
  readonly #creating = new Set<string>();

  constructor(store: TaskStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  async read(now: number): Promise<void> {
    for (const { id, value } of await this.#store.listDocuments(kind)) {
      const entry = entryOf(value as Kept);
      if (isAhead(entry, now)) setBack(entry, now);
      this.#setNext(entry);
      this.#entries.set(id, entry);
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
    const count = new Set([...this.#entries.keys(), ...this.#creating]).size;
    if (!before && count >= scheduleLimits.schedulesMax) {
      const text = `there are ${count} schedules, as many as there may be`;
      throw new ScriptdError('TOO_MANY_SCHEDULES', text);
    }
    const fault = cronFault(spec.cron, spec.timeZone);
    if (fault) {
      throw thrown({ code: 'INVALID_FIELD', ...fault });
    }
    if (before) {
      const schedule = await this.#keep({ ...keptOf(before), spec, doneUntil: now });
      return { schedule, created: false };
    }
    this.#creating.add(spec.id);
    try {
      return { schedule: await this.#keep({ spec, doneUntil: now }), created: true };
    } finally {
      this.#creating.delete(spec.id);
    }
  }

  /**
   * Fulfilled when it is durable; undefined: there is none. All else of it stays. One that becomes
   * enabled is due from `now` on: what passed until then is not made up for.
   */
  setEnabled(id: string, enabled: boolean, now: number): Promise<ScheduleView | undefined> {
    return this.#inTurn(id, async () => {
      const entry = this.#entries.get(id);
      if (!entry || entry.spec.enabled === enabled) return entry && viewOf(entry);
      const spec = { ...entry.spec, enabled };
      return await this.#keep({ ...keptOf(entry), spec, doneUntil: now });
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
   *
   * @param forMs how long it may take, but for the last schedule; the others have their turn in the next
   * call
   */
  takeDue(now: number, forMs: number = controllerLimits.dueRunsMs): DueRun[] {
    const startMs = performance.now();
    const waiting: [string, Entry][] = [];
    for (const [id, entry] of this.#entries) {
      const isDue = entry.nextRunAt !== undefined && entry.nextRunAt <= now;
      entry.dueSince = isDue ? (entry.dueSince ?? now) : undefined;
      if (isDue || isAhead(entry, now)) waiting.push([id, entry]);
    }
    const due: DueRun[] = [];
    for (const [id, entry] of waiting) {
      due.push(...this.#take(entry, now));
      this.#entries.delete(id);
      this.#entries.set(id, entry);
      if (performance.now() - startMs >= forMs) break;
    }
    return due;
  }

  #take(entry: Entry, now: number): DueRun[] {
    const { spec: schedule, nextRunAt: first } = entry;
    if (isAhead(entry, now)) setBack(entry, now);
    if (first === undefined || first > now) {
      this.#setNext(entry);
      return [];
    }
    const times = runTimes(schedule.cron, schedule.timeZone);
    const runs = dueRuns(entry, first, now, times);
    entry.doneUntil = now;
    entry.dueSince = undefined;
    entry.nextRunAt = times.after(now);
    return runs.map((runAt) => ({ schedule, runAt }));
  }

  /** A run could not be submitted now: it is due again, as its schedule's `missed` says. */
  putBack({ schedule, runAt }: DueRun): void {
    const entry = this.#entries.get(schedule.id);
    // Changed or deleted meanwhile, it is another schedule.
    if (entry?.spec !== schedule) return;
    entry.doneUntil = Math.min(entry.doneUntil, runAt - 1);
    entry.dealtWithUntil = Math.min(entry.dealtWithUntil, runAt - 1);
    entry.nextRunAt = Math.min(entry.nextRunAt ?? runAt, runAt);
  }

  /** A run became a task. */
  note({ schedule, runAt }: DueRun, taskId: string): Promise<void> {
    return this.#inTurn(schedule.id, async () => {
      const entry = this.#entries.get(schedule.id);
      // It was deleted meanwhile.
      if (!entry) return;
      entry.lastRunAt = runAt;
      entry.lastTaskId = taskId;
      await this.#store.putDocument({ kind, id: schedule.id, value: keptOf(entry) });
    });
  }

  /** It holds once it is durable. */
  async #keep(kept: Kept): Promise<ScheduleView> {
    const { id } = kept.spec;
    await this.#store.putDocument({ kind, id, value: kept });
    const entry = entryOf(kept);
    this.#setNext(entry);
    this.#entries.set(id, entry);
    return viewOf(entry);
  }

  /**
   * What an earlier version took, or other data on time zones, may be no cron any more. Such a schedule is
   * never due, and stays to be looked at, replaced or deleted: the others must not suffer for it.
   */
  #setNext(entry: Entry): void {
    const { id, enabled, cron, timeZone } = entry.spec;
    entry.nextRunAt = undefined;
    if (!enabled) return;
    try {
      entry.nextRunAt = runTimes(cron, timeZone).after(entry.doneUntil);
    } catch (error) {
      const text = `schedule ${id} is not submitted: ${errorMessage(error)}`;
      this.#log.error({ err: error, schedule: id, cron, timeZone }, text);
    }
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

/**
 * Oldest first. Looked for backwards from now: there may be millions since the first, and only the newest
 * matter where they are too many.
 */
function dueRuns(entry: Entry, first: number, now: number, times: RunTimes): number[] {
  const { missed } = entry.spec;
  const most = missed === 'once' ? 1 : controllerLimits.missedRunsMax;
  const onTimeFrom = Math.min(entry.dueSince ?? now, now) - lateMs;
  const madeUpFrom = missed === 'skip' ? onTimeFrom : entry.dealtWithUntil + 1;
  const from = Math.max(first, Math.min(onTimeFrom, madeUpFrom));
  const runs: number[] = [];
  for (let at = times.upTo(now); at !== undefined && at >= from; at = times.upTo(at - 1)) {
    runs.unshift(at);
    // A look more would find nothing.
    if (runs.length === most || at === from) break;
  }
  return runs;
}

/** Whether runs were dealt with by a clock that was ahead of this one. */
function isAhead({ doneUntil }: Entry, now: number): boolean {
  return doneUntil > now + lateMs;
}

/**
 * The clock was ahead, and the schedule would be silent until that time comes. Now it goes on from here:
 * runs that were submitted have their idempotency keys. But a clock that is behind (at the start of a host
 * without one of its own) is put forward later, and the keys of what it then finds may be gone: so none
 * of that is made up for.
 */
function setBack(entry: Entry, now: number): void {
  entry.dealtWithUntil = Math.max(entry.dealtWithUntil, entry.doneUntil);
  entry.doneUntil = now;
}

function entryOf(kept: Kept): Entry {
  return { ...kept, nextRunAt: undefined, dueSince: undefined, dealtWithUntil: 0 };
}

function keptOf({ nextRunAt: _, dueSince: __, dealtWithUntil, ...kept }: Entry): Kept {
  return { ...kept, doneUntil: Math.max(kept.doneUntil, dealtWithUntil) };
}

function viewOf({ spec, nextRunAt: at, lastRunAt, lastTaskId }: Entry): ScheduleView {
  return {
    ...spec,
    ...(at !== undefined && { nextRunAt: at }),
    ...(lastRunAt !== undefined && { lastRunAt }),
    ...(lastTaskId !== undefined && { lastTaskId }),
  };
}
