import { ProgressLine, shareBar } from '../progress.js';
import { countText, digits, preciseText } from './figures.js';
import type { Tally } from './tally.js';
import type { Pace } from './turns.js';

const redrawMs = 100;
const speedMs = 1_000;
const barWidth = 20;

interface Mark {
  ms: number;
  tasks: number;
}

/** How far a bench is, on a terminal, until it is ended. */
export class Live {
  readonly #line: ProgressLine;
  readonly #tally: Tally;
  readonly #pace: Pace;
  readonly #startMs = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  /** When so many had ended: the speed is that since the first, one to two seconds ago. */
  #marks: [Mark, Mark] = [
    { ms: this.#startMs, tasks: 0 },
    { ms: this.#startMs, tasks: 0 },
  ];

  constructor(label: string, tally: Tally, pace: Pace) {
    this.#line = new ProgressLine(label);
    this.#tally = tally;
    this.#pace = pace;
    this.#timer = setInterval(() => this.#line.draw(() => this.#text()), redrawMs);
  }

  /** Takes the line away, until it is drawn anew. */
  clear(): void {
    this.#line.end();
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #text(): string {
    const { tasks, succeeded, latency } = this.#tally;
    const nowMs = performance.now();
    if (nowMs - this.#marks[1].ms >= speedMs) this.#marks = [this.#marks[1], { ms: nowMs, tasks }];
    const [{ ms: sinceMs, tasks: before }] = this.#marks;
    const perSecond = ((tasks - before) / Math.max(1, nowMs - sinceMs)) * 1_000;
    const { tasks: total = Number.POSITIVE_INFINITY, forMs = Number.POSITIVE_INFINITY } =
      this.#pace;
    const share = Math.max(tasks / total, (nowMs - this.#startMs) / forMs);
    const failed = tasks - succeeded;
    return [
      `${shareBar(share, barWidth)} ${countText(tasks)}`,
      `${digits(perSecond)}/s`,
      ...(latency.count > 0 ? [`p50 ${preciseText(latency.quantileMs(0.5))}`] : []),
      ...(failed > 0 ? [`${countText(failed)} failed`] : []),
    ].join('  ');
  }
}
