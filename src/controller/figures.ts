import { Histogram } from '../histogram.js';
import type { Ending } from '../scheduler/endings.js';
import type { TaskView } from '../task.js';
import { type Code, codes, type Outcome, outcomes } from '../verdict.js';

/** Upper ends of buckets, in seconds. */
const waitingSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 7_200];
const runningSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 7_200];

/** Stands for types that the configuration does not know any more. No type can have this name. */
export const otherType = '_other';

const outcomeIndex = new Map<Outcome, number>(outcomes.map((outcome, index) => [outcome, index]));
const codeIndex = new Map<Code | undefined, number>([
  [undefined, 0],
  ...codes.map((code, index) => [code, index + 1] as const),
]);
const codeCount = codes.length + 1;

/** How often each outcome came with each code. */
export class EndingCounts {
  readonly #counts = new Float64Array(outcomes.length * codeCount);

  add(outcome: Outcome, code: Code | undefined): void {
    const at = (outcomeIndex.get(outcome) ?? 0) * codeCount + (codeIndex.get(code) ?? 0);
    this.#counts[at] = (this.#counts[at] as number) + 1;
  }

  /** Those that came at all, whatever their codes. */
  byOutcome(): Map<Outcome, number> {
    const sums = new Map<Outcome, number>();
    for (const { outcome, count } of this.entries()) {
      sums.set(outcome, (sums.get(outcome) ?? 0) + count);
    }
    return sums;
  }

  /** Those that came at all. Of a success the code is empty. */
  *entries(): Generator<{ outcome: Outcome; code: Code | ''; count: number }> {
    for (const [row, outcome] of outcomes.entries()) {
      for (const [column, code] of (['', ...codes] as const).entries()) {
        const count = this.#counts[row * codeCount + column] ?? 0;
        if (count > 0) yield { outcome, code, count };
      }
    }
  }
}

/** What happened to the tasks of one type. */
export class TypeFigures {
  submitted = 0;
  readonly finished = new EndingCounts();
  /** Attempts that are followed by another. */
  readonly retried = new EndingCounts();
  deadLetters = 0;
  readonly waiting = new Histogram(waitingSeconds);
  /** The longest wait since somebody set it to 0: the history, with each of its steps. */
  longestWaitMs = 0;
  readonly running = new Histogram(runningSeconds);
  /** Scripts that found a prepared process, and that did not, of all workers there were. */
  warmStarts = 0;
  coldStarts = 0;
}

/**
 * What happened in this controller, in plain numbers that are there from the start: to count costs
 * a look into a small map.
 */
export class Figures {
  readonly types: ReadonlyMap<string, TypeFigures>;
  /** Submissions that were not taken, by the code of their refusal: a closed list. */
  readonly refused = new Map<string, number>();
  readonly #other = new TypeFigures();

  constructor(types: Iterable<string>) {
    const known = [...types].map((type) => [type, new TypeFigures()] as const);
    this.types = new Map([...known, [otherType, this.#other]]);
  }

  of(type: string): TypeFigures {
    return this.types.get(type) ?? this.#other;
  }

  submitted(type: string): void {
    this.of(type).submitted++;
  }

  refusedWith(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** An attempt has been handed out. */
  dispatched(type: string, queuedMs: number): void {
    const figures = this.of(type);
    figures.waiting.observe(queuedMs / 1000);
    if (queuedMs > figures.longestWaitMs) figures.longestWaitMs = queuedMs;
  }

  /** An attempt has ended, and its task will be tried again. */
  retried(type: string, { outcome, code }: Ending): void {
    this.of(type).retried.add(outcome, code);
  }

  /** The task's end is durable. */
  finished({ type, outcome, code, timeline, deadLetter }: TaskView): void {
    const figures = this.of(type);
    if (outcome) figures.finished.add(outcome, code);
    if (deadLetter) figures.deadLetters++;
    if (timeline) figures.running.observe(timeline.runMs / 1000);
  }
}
