/** How a task ended, as a client saw it. */
export interface Sight {
  outcome: string;
  /** Absent where the answer did not say so. */
  attempt?: number;
  finishedAt?: string;
}

/** A task as the instance has it at the end. */
export interface KeptTask {
  id: string;
  state: string;
  outcome?: string;
  attempt: number;
  attempts: { outcome?: string }[];
  finishedAt?: string;
  deadLetter?: true;
}

export interface DrillReport {
  /** Tasks that were acknowledged, by ID. */
  submitted: number;
  finished: number;
  pending: number;
  dead: number;
  /** Acknowledged, and not there. */
  lost: string[];
  /** Seen with one end, and with another. */
  twoOutcomes: string[];
  /** Idempotency keys that stand for more than one task. */
  doubled: string[];
  /** Tasks with the outcome success whose script was never executed. */
  notExecuted: string[];
  /** Tasks whose script was executed more than once; after a kill it may have to be. */
  executedAgain: number;
  /** Tasks with more than one attempt. */
  triedAgain: number;
  /** Tasks that are there and were not acknowledged: their answer was lost, to nobody's harm. */
  unacknowledged: number;
  /** Requests that were refused or got no answer, and were sent again. */
  sentAgain: number;
  /** What was done to which part, and how often. */
  kills: Record<string, number>;
  seconds: number;
}

interface Entry {
  mark: string;
  notes: boolean;
  sight: Sight | undefined;
}

/** The books of a drill: what was acknowledged and seen, against what is there in the end. */
export class Tally {
  readonly #entries = new Map<string, Entry>();
  readonly #twoOutcomes = new Set<string>();
  readonly #doubled = new Set<string>();
  readonly kills = new Map<string, number>();
  sentAgain = 0;

  get submitted(): number {
    return this.#entries.size;
  }

  /** @param mark what its script adds to the notes; with `notes`, it does so */
  acknowledged(id: string, mark: string, notes: boolean): void {
    const before = this.#entries.get(id);
    if (before && before.mark !== mark) this.#doubled.add(mark);
    if (!before) this.#entries.set(id, { mark, notes, sight: undefined });
  }

  /** The same key was submitted again: it has to be the same task. */
  repeated(key: string, first: string, second: string): void {
    if (first !== second) this.#doubled.add(key);
  }

  saw(id: string, sight: Sight): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (entry.sight && !isSame(entry.sight, sight)) this.#twoOutcomes.add(id);
    entry.sight = { ...entry.sight, ...sight };
  }

  killed(what: string): void {
    this.kills.set(what, (this.kills.get(what) ?? 0) + 1);
  }

  /**
   * @param kept everything that the instance has
   * @param executions the marks, once for each execution
   */
  report(kept: readonly KeptTask[], executions: readonly string[], seconds: number): DrillReport {
    const executed = new Map<string, number>();
    for (const mark of executions) executed.set(mark, (executed.get(mark) ?? 0) + 1);
    const tasks = new Map(kept.map((task) => [task.id, task]));
    const report: DrillReport = {
      ...{ submitted: this.#entries.size, finished: 0, pending: 0, dead: 0 },
      ...{ lost: [], twoOutcomes: [], doubled: [...this.#doubled], notExecuted: [] },
      ...{ executedAgain: 0, triedAgain: 0, sentAgain: this.sentAgain, seconds },
      unacknowledged: kept.filter(({ id }) => !this.#entries.has(id)).length,
      kills: Object.fromEntries([...this.kills].sort()),
    };
    for (const [id, { mark, notes }] of this.#entries) {
      const task = tasks.get(id);
      if (!task) {
        report.lost.push(id);
        continue;
      }
      if (task.state !== 'finished') report.pending += 1;
      else if (task.deadLetter) report.dead += 1;
      else report.finished += 1;
      this.#sawKept(task);
      const times = executed.get(mark) ?? 0;
      if (times > 1) report.executedAgain += 1;
      if (task.attempts.length > 1) report.triedAgain += 1;
      if (notes && task.outcome === 'success' && times === 0) report.notExecuted.push(id);
    }
    report.twoOutcomes = [...this.#twoOutcomes];
    return report;
  }

  #sawKept({ id, state, outcome, attempt, attempts, finishedAt }: KeptTask): void {
    if (state !== 'finished' || outcome === undefined) return;
    this.saw(id, { outcome, attempt, ...(finishedAt !== undefined && { finishedAt }) });
    // Nothing is tried again after it has succeeded.
    if (attempts.slice(0, -1).some((one) => one.outcome === 'success')) this.#twoOutcomes.add(id);
  }
}

/** True when nothing that was acknowledged is missing or came out wrong. */
export function isWhole(report: DrillReport): boolean {
  const { submitted, finished, pending, dead, lost, twoOutcomes, doubled, notExecuted } = report;
  const wrong = [lost, twoOutcomes, doubled, notExecuted].some((ids) => ids.length > 0);
  return !wrong && pending === 0 && submitted > 0 && submitted === finished + dead;
}

function isSame(a: Sight, b: Sight): boolean {
  const differs = (one: unknown, other: unknown) =>
    one !== undefined && other !== undefined && one !== other;
  return !(
    differs(a.outcome, b.outcome) ||
    differs(a.attempt, b.attempt) ||
    differs(a.finishedAt, b.finishedAt)
  );
}
