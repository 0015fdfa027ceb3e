import { errorCode } from '../errors.js';
import { invariant } from '../invariant.js';
import type { Log } from '../log.js';
import type { ControllerPort, History, Overview } from './controller-port.js';
import { breakingOff } from './event-fault.js';
import { httpLimits } from './limits.js';
import type { OverviewTexts } from './overview-texts.js';

/** What the stream asks of the controller. */
export type OverviewSource = Pick<ControllerPort, 'recentOverview' | 'history'>;

/** Counts bytes that the client has not taken, until what it returns is called. */
export type Hold = (bytes: number) => () => void;

const comment = Buffer.from(':\n\n');

/**
 * How the service stands, for one client, as the text of an event stream. It is pulled: the service is
 * looked at a second after the last look, and not before the client has taken what there was.
 *
 *     history ─▶ look ─▶ sample, or history where one was missed ─▶ overview, if it is another or due
 *                 ▲                                                    │
 *                 └──────────────── a second after the last ◀──────────┘
 *
 * Source: WHATWG HTML, 9.2 Server-sent events
 */
export class OverviewEvents {
  readonly #source: OverviewSource;
  readonly #texts: OverviewTexts;
  readonly #log: Log;
  readonly #stopped = new AbortController();
  /** Until it is told: a stream may last for days, and an hour of all types is large. */
  #history: History | undefined;
  /** `at` of the last sample that was told. */
  #sampledAt: number | undefined;
  /** What the last overview told, and when that was; monotonic milliseconds. */
  #news = '';
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param history as it stands: it is told first */
  constructor(source: OverviewSource, history: History, texts: OverviewTexts, log: Log) {
    this.#source = source;
    this.#history = history;
    this.#texts = texts;
    this.#log = log;
  }

  /** Ends the text soon, where it is. */
  stop(): void {
    this.#stopped.abort();
  }

  /** @param hold called with the size of each event while it goes out */
  async *text(hold: Hold): AsyncGenerator<Buffer> {
    yield Buffer.from(`retry: ${httpLimits.eventRetryMs}\n\n`);
    try {
      for await (const event of this.#events()) {
        const release = hold(event.length);
        try {
          yield event;
        } finally {
          release();
        }
      }
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      yield Buffer.from(breakingOff(error, this.#log));
    }
  }

  async *#events(): AsyncGenerator<Buffer> {
    const { signal } = this.#stopped;
    yield this.#first();
    while (!signal.aborted) {
      const nextAtMs = performance.now() + httpLimits.lookMs;
      yield* await this.#look();
      await pause(nextAtMs - performance.now(), signal);
    }
  }

  /** What there is to tell. */
  async #look(): Promise<Buffer[]> {
    const { signal } = this.#stopped;
    const waitMs = httpLimits.keepEventsAliveMs;
    try {
      const overview = await within(this.#source.recentOverview(), waitMs, signal);
      if (!overview) return [comment];
      return [...(await this.#samples(overview)), ...this.#overview(overview)];
    } catch (error) {
      // It is being restarted: it may take as long as it wants, and the client as well.
      if (errorCode(error) !== 'CONTROLLER_UNAVAILABLE') throw error;
      return [comment];
    }
  }

  async #samples({ newest, newestAfter }: Overview): Promise<Buffer[]> {
    if (!newest || newest.at === this.#sampledAt) return [];
    // The client was slow, or another controller has begun anew.
    if (newestAfter !== this.#sampledAt) return [this.#whole(await this.#source.history())];
    this.#sampledAt = newest.at;
    return [this.#texts.sample(newest)];
  }

  #first(): Buffer {
    const history = this.#history;
    this.#history = undefined;
    invariant(history, 'a stream begins once');
    return this.#whole(history);
  }

  #whole(history: History): Buffer {
    this.#sampledAt = history.samples.at(-1)?.at;
    return this.#texts.history(history);
  }

  #overview(overview: Overview): Buffer[] {
    const { event, news } = this.#texts.overview(overview);
    const nowMs = performance.now();
    if (news === this.#news && nowMs - this.#toldAtMs < httpLimits.overviewMs) return [];
    this.#news = news;
    this.#toldAtMs = nowMs;
    return [event];
  }
}

/** Until the time is up, or the signal comes. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await within(new Promise<never>(() => undefined), Math.max(0, ms), signal);
}

/** The answer; undefined when it takes longer, or the signal comes before it. */
function within<T>(answer: Promise<T>, ms: number, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const release = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', late);
    };
    const late = () => {
      release();
      resolve(undefined);
    };
    const timer = setTimeout(late, ms);
    signal.addEventListener('abort', late, { once: true });
    answer.then(resolve, reject).finally(release);
    if (signal.aborted) late();
  });
}
