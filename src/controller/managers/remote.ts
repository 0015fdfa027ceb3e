import type { Log } from '../../log.js';
import type { PlaceHandlers, WorkerManager, WorkerPlace } from '../manager.js';

/**
 * Workers that somebody else starts, on other hosts, and that listen there: their places are fixed,
 * and nothing can be done about one that does not answer but to say so and to try again.
 */
export class RemoteManager implements WorkerManager {
  readonly types: readonly string[];
  readonly #places: readonly WorkerPlace[];
  readonly #log: Log;

  constructor(places: readonly WorkerPlace[], log: Log) {
    this.types = [...new Set(places.map(({ type }) => type))];
    this.#places = places;
    this.#log = log;
  }

  start({ onAdded }: PlaceHandlers): void {
    for (const place of this.#places) onAdded(place);
  }

  ensure({ name }: WorkerPlace): void {
    this.#log.debug({ worker: name }, `worker ${name} is not there`);
  }

  replace({ name }: WorkerPlace): void {
    const text = `worker ${name} does not answer: whoever started it has to see to it`;
    this.#log.warn({ worker: name }, text);
  }

  stop(): void {
    this.#log.debug('workers on other hosts go on');
  }

  async finish(): Promise<void> {
    this.#log.debug('workers on other hosts are not ended');
  }
}
