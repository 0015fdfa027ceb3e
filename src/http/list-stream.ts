import type { Log } from '../log.js';
import { breakingOff } from './event-fault.js';
import { httpLimits } from './limits.js';
import type { ListedPage } from './listed-pages.js';

/**
 * The page as it stands; undefined: it cannot be had now, and may be later.
 *
 * @param isWanted false: the client has gone meanwhile
 */
export type Look = (isWanted: () => boolean) => Promise<ListedPage | undefined>;

/**
 * The first page of a list for one client, as the text of an event stream: all of it, and then what
 * has changed, looked at once a second. What has not changed is not sent.
 *
 *     look ─▶ the same? ─ no ─▶ event `tasks` ─┐
 *      ▲         └─ yes: nothing, and a comment after keepEventsAliveMs
 *      └──────────── listEveryMs ◀─────────────┘
 *
 * Source: WHATWG HTML, 9.2 Server-sent events
 */
export class ListStream {
  readonly #look: Look;
  readonly #log: Log;
  /** Digests of the page as it was last sent, by the ids of its tasks. */
  #told: ReadonlyMap<string, string> = new Map();
  /** Ids in their order, and where the list goes on, as last sent. */
  #frame: string | undefined;
  #isStopped = false;
  #wake: () => void = () => undefined;

  constructor(look: Look, log: Log) {
    this.#look = look;
    this.#log = log;
  }

  /** Ends the text soon. */
  stop(): void {
    this.#isStopped = true;
    this.#wake();
  }

  /** @param hold counts bytes of a text until what it returns is called */
  async *text(hold: (bytes: number) => () => void): AsyncGenerator<string> {
    yield `retry: ${httpLimits.eventRetryMs}\n\n`;
    try {
      yield* this.#events(hold);
    } catch (error) {
      if (this.#isStopped) return;
      yield breakingOff(error, this.#log);
    }
  }

  async *#events(hold: (bytes: number) => () => void): AsyncGenerator<string> {
    let quietSinceMs = performance.now();
    while (!this.#isStopped) {
      const page = await this.#look(() => !this.#isStopped);
      const event = page && this.#event(page);
      if (event !== undefined) {
        const release = hold(event.length);
        try {
          yield event;
        } finally {
          release();
        }
        quietSinceMs = performance.now();
      } else if (performance.now() - quietSinceMs >= httpLimits.keepEventsAliveMs) {
        yield ':\n\n';
        quietSinceMs = performance.now();
      }
      await this.#pause(httpLimits.listEveryMs);
    }
  }

  /** What has changed since the last event; undefined: nothing. */
  #event({ tasks, next }: ListedPage): string | undefined {
    const news = tasks.filter(({ id, digest }) => this.#told.get(id) !== digest);
    const order = tasks.map(({ id }) => id);
    const frame = JSON.stringify({ order, next }).slice(1);
    if (news.length === 0 && frame === this.#frame) return undefined;
    this.#told = new Map(tasks.map(({ id, digest }) => [id, digest]));
    this.#frame = frame;
    // Put together from texts that its readers share.
    const changed = news.map(({ json }) => json).join(',');
    return `event: tasks\ndata: {"tasks":[${changed}],${frame}\n\n`;
  }

  #pause(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
