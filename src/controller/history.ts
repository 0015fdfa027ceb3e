import type { Outcome } from '../verdict.js';
import {
  historySamplesMax,
  historyStepMs,
  historyTypesMax,
  minutesShownMax,
  type Sample,
  type TypeSample,
} from '../wire/reports.js';

/** How one type stands, and what has happened to it since the process began. */
export interface TypeReading
  extends Pick<TypeSample, 'type' | 'ready' | 'waiting' | 'running' | 'slots'> {
  submitted: number;
  finished: ReadonlyMap<Outcome, number>;
  /** Attempts that were handed out, and how long they had waited, all together. */
  dispatched: number;
  queuedMs: number;
  /** The longest of these waits since the last reading. */
  queuedMsMax: number;
}

export interface HistoryReport {
  stepMs: number;
  /** Oldest first. */
  samples: Sample[];
}

type Totals = Pick<TypeReading, 'submitted' | 'finished' | 'dispatched' | 'queuedMs'>;

const nothing: Totals = { submitted: 0, finished: new Map(), dispatched: 0, queuedMs: 0 };
const samplesPerMinute = 60_000 / historyStepMs;

/**
 * The last hour of each type, in steps. Bounded: the oldest sample goes when a new one comes, and
 * types beyond the first `historyTypesMax` have none. What counts counts on as ever; here the
 * differences are kept, so that a task costs nothing more.
 */
export class History {
  readonly #samples: Sample[] = [];
  /** As the last step left them. */
  #totals: ReadonlyMap<string, Totals> = new Map();
  #endsAtMs: number;

  /** @param nowMs when the first step begins; monotonic milliseconds */
  constructor(nowMs: number) {
    this.#endsAtMs = nowMs + historyStepMs;
  }

  /** Whether a step is over: then `take` is due. One that was overslept is as long as it was. */
  isDue(nowMs: number): boolean {
    return nowMs >= this.#endsAtMs;
  }

  /**
   * Ends a step.
   *
   * @param nowMs monotonic milliseconds
   * @param wallMs the same, since 1970-01-01 UTC
   */
  take(readings: readonly TypeReading[], nowMs: number, wallMs: number): void {
    const missed = Math.max(0, Math.floor((nowMs - this.#endsAtMs) / historyStepMs));
    this.#endsAtMs += (missed + 1) * historyStepMs;
    const kept = readings.slice(0, historyTypesMax);
    const types = kept.map((reading) =>
      sampleOf(reading, this.#totals.get(reading.type) ?? nothing),
    );
    this.#totals = new Map(kept.map((reading) => [reading.type, reading]));
    this.#samples.push({ at: wallMs, types });
    if (this.#samples.length > historySamplesMax) this.#samples.shift();
  }

  report(): HistoryReport {
    return { stepMs: historyStepMs, samples: [...this.#samples] };
  }

  /** The last sample, and the `at` of the one before it. */
  newest(): { newest?: Sample; newestAfter?: number } {
    const newest = this.#samples.at(-1);
    const before = this.#samples.at(-2);
    return { ...(newest && { newest }), ...(before && { newestAfter: before.at }) };
  }

  /** Tasks that were ready at the ends of the last minutes, the oldest first; without gaps. */
  readyPerMinute(type: string): number[] {
    const counts: number[] = [];
    let at = this.#samples.length - 1;
    for (; at >= 0 && counts.length < minutesShownMax; at -= samplesPerMinute) {
      const sample = this.#samples[at]?.types.find((one) => one.type === type);
      if (!sample) break;
      counts.unshift(sample.ready);
    }
    return counts;
  }
}

function sampleOf(reading: TypeReading, before: Totals): TypeSample {
  const { type, ready, waiting, running, slots } = reading;
  const finished: Record<string, number> = {};
  for (const [outcome, count] of reading.finished) {
    const more = count - (before.finished.get(outcome) ?? 0);
    if (more > 0) finished[outcome] = more;
  }
  const dispatched = reading.dispatched - before.dispatched;
  const queuedMs = reading.queuedMs - before.queuedMs;
  return {
    ...{ type, ready, waiting, running, slots, finished },
    submitted: reading.submitted - before.submitted,
    queuedMsMax: dispatched === 0 ? 0 : rounded(reading.queuedMsMax),
    queuedMsMean: dispatched === 0 ? 0 : rounded(queuedMs / dispatched),
  };
}

/** To hundredths: more is not measured. */
function rounded(ms: number): number {
  return Math.max(0, Math.round(ms * 100) / 100);
}
