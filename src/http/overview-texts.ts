import type { Sample } from '../wire/reports.js';
import type { History, Overview } from './controller-port.js';
import { historyJson, newsOf, overviewJson, sampleJson } from './overview-json.js';

/** An overview as streams tell it. */
interface Told {
  event: Buffer;
  /** The same of two overviews that tell the same. */
  news: string;
}

/**
 * Events as bytes, made once of each answer of the controller, however many streams tell of it: an hour
 * of 64 types has megabytes, and a thousand streams that are told again after a break would each take
 * the time to write them and the room for them until they are read. Forgotten with the answer.
 */
export class OverviewTexts {
  readonly #histories = new WeakMap<History, Buffer>();
  readonly #overviews = new WeakMap<Overview, Told>();

  history(history: History): Buffer {
    let event = this.#histories.get(history);
    if (!event) {
      event = eventOf('history', historyJson(history));
      this.#histories.set(history, event);
    }
    return event;
  }

  overview(overview: Overview): Told {
    let told = this.#overviews.get(overview);
    if (!told) {
      const json = overviewJson(overview);
      told = { event: eventOf('overview', json), news: newsOf(json) };
      this.#overviews.set(overview, told);
    }
    return told;
  }

  sample(sample: Sample): Buffer {
    return eventOf('sample', sampleJson(sample));
  }
}

function eventOf(name: string, data: object): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}
