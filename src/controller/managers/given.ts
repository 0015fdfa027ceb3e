import type { Log } from '../../log.js';
import { formatAddress } from '../../poll/address.js';
import type { PlaceHandlers, WorkerManager, WorkerPlace } from '../manager.js';

/**
 * Workers that somebody else starts, starts again and ends, such as systemd: known is only where
 * they listen. They outlive this controller.
 */
export class GivenManager implements WorkerManager {
  readonly types: readonly string[];
  readonly #places: readonly WorkerPlace[];
  readonly #log: Log;
  /** Places that were told of as empty. */
  readonly #told = new Set<string>();

  constructor(places: readonly WorkerPlace[], log: Log) {
    this.types = [...new Set(places.map(({ type }) => type))];
    this.#places = places;
    this.#log = log;
  }

  start({ onAdded }: PlaceHandlers): void {
    for (const place of this.#places) onAdded(place);
  }

  ensure({ name, address }: WorkerPlace): void {
    if (this.#told.has(name)) return;
    this.#told.add(name);
    const at = formatAddress(address);
    this.#log.warn(
      { worker: name },
      `worker ${name} is not at ${at}: it is connected to once it is`,
    );
  }

  replace({ name }: WorkerPlace, pid: number | undefined): void {
    const text = `worker ${name} does not answer: whoever started it has to end it`;
    this.#log.error({ worker: name, pid }, text);
  }

  stop(): void {
    this.#told.clear();
  }

  /** There are none that this one would have to end. */
  async finish(): Promise<void> {
    this.stop();
  }
}
