/** Most that may be unfinished at once. Infinity: any number. */
export interface Allowance {
  tasks: number;
  bytes: number;
}

export interface AdmissionLimits {
  all: Allowance;
  /** For each group, the one without a name included. */
  perGroup: Allowance;
}

/** Why something is not let in. */
export interface AdmissionRefusal {
  scope: 'all' | 'group';
  what: 'tasks' | 'bytes';
  limit: number;
  /** When as much as was asked for should have been finished, at the pace of the last seconds. */
  retryAfterMs: number;
}

interface Held {
  tasks: number;
  bytes: number;
}

/** The pace is measured over so many seconds. */
const windowSeconds = 16;
export const retryAfterMsMin = 1_000;
export const retryAfterMsMax = 60_000;

/** What is finished per second: a ring of counts, one for each of the last seconds. */
class Pace {
  readonly #counts = new Float64Array(windowSeconds);
  #second = Number.NEGATIVE_INFINITY;
  #since = Number.NaN;

  add(amount: number, nowMs: number): void {
    this.#turn(nowMs);
    const at = this.#second % windowSeconds;
    this.#counts[at] = (this.#counts[at] as number) + amount;
  }

  /** Per millisecond; 0 when nothing was finished. */
  rate(nowMs: number): number {
    this.#turn(nowMs);
    const measuredMs = Math.min(nowMs - this.#since, windowSeconds * 1000);
    return this.#counts.reduce((sum, count) => sum + count, 0) / Math.max(1_000, measuredMs);
  }

  #turn(nowMs: number): void {
    const second = Math.max(0, Math.floor(nowMs / 1000));
    if (Number.isNaN(this.#since)) this.#since = nowMs;
    const passed = Math.min(windowSeconds, second - this.#second);
    for (let step = 0; step < passed; step++) this.#counts[(second - step) % windowSeconds] = 0;
    this.#second = Math.max(this.#second, second);
  }
}

/**
 * Bounds what is unfinished, in all and per group, in tasks and in bytes. No I/O; monotonic
 * milliseconds come in.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #all: Held = { tasks: 0, bytes: 0 };
  readonly #groups = new Map<string, Held>();
  readonly #pace = { tasks: new Pace(), bytes: new Pace() };

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  get held(): Readonly<Held> {
    return this.#all;
  }

  heldBy(group: string): Readonly<Held> {
    return this.#groups.get(group) ?? { tasks: 0, bytes: 0 };
  }

  /** Whether so much more may come in; undefined: it may. Changes nothing. */
  admit(asked: Held & { group?: string | undefined }, nowMs: number): AdmissionRefusal | undefined {
    const scopes = [
      { scope: 'all', held: this.#all, limits: this.#limits.all },
      { scope: 'group', held: this.heldBy(asked.group ?? ''), limits: this.#limits.perGroup },
    ] as const;
    for (const { scope, held, limits } of scopes) {
      for (const what of ['tasks', 'bytes'] as const) {
        const excess = held[what] + asked[what] - limits[what];
        if (excess <= 0) continue;
        // A group gets a part of the pace: about its part of what is held.
        const part = this.#all[what] > 0 ? held[what] / this.#all[what] : 1;
        const rate = this.#pace[what].rate(nowMs) * part;
        return { scope, what, limit: limits[what], retryAfterMs: retryAfterMs(excess, rate) };
      }
    }
    return undefined;
  }

  /** It has come in, whether it was asked or not (a restart takes back all that there was). */
  add({ tasks, bytes, group = '' }: Held & { group?: string | undefined }): void {
    const held = this.#groups.get(group) ?? { tasks: 0, bytes: 0 };
    this.#groups.set(group, held);
    for (const count of [this.#all, held]) {
      count.tasks += tasks;
      count.bytes += bytes;
    }
  }

  /** It is finished. */
  remove({ tasks, bytes, group = '' }: Held & { group?: string | undefined }, nowMs: number): void {
    const held = this.#groups.get(group);
    for (const count of held ? [this.#all, held] : [this.#all]) {
      count.tasks -= tasks;
      count.bytes -= bytes;
    }
    if (held?.tasks === 0) this.#groups.delete(group);
    this.#pace.tasks.add(tasks, nowMs);
    this.#pace.bytes.add(bytes, nowMs);
  }
}

function retryAfterMs(excess: number, ratePerMs: number): number {
  const ms = ratePerMs > 0 ? Math.ceil(excess / ratePerMs) : retryAfterMsMax;
  return Math.min(retryAfterMsMax, Math.max(retryAfterMsMin, ms));
}
