import type { TaskStore } from '../store/port.js';

const kind = 'paused';

/** Types of which nothing is dispatched, by the order of an operator. It outlives a restart. */
export class Pauses {
  readonly #store: TaskStore;

  constructor(store: TaskStore) {
    this.#store = store;
  }

  async read(): Promise<string[]> {
    return (await this.#store.listDocuments(kind)).map(({ id }) => id);
  }

  /** Fulfilled when it is durable. */
  async pause(type: string): Promise<void> {
    await this.#store.putDocument({ kind, id: type, value: true });
  }

  async resume(type: string): Promise<void> {
    await this.#store.deleteDocument(kind, type);
  }
}
