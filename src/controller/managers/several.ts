import type { PlaceHandlers, TypeLoad, WorkerManager, WorkerPlace } from '../manager.js';

/** Several managers as one: each sees to its own places. */
export class SeveralManagers implements WorkerManager {
  readonly types: readonly string[];
  readonly #managers: readonly WorkerManager[];
  readonly #owners = new Map<string, WorkerManager>();
  drain?: (name: string) => void;
  /** Only if one of them wants to know. */
  readonly load?: (types: readonly TypeLoad[]) => void;

  constructor(managers: readonly WorkerManager[]) {
    this.types = [...new Set(managers.flatMap(({ types }) => types))];
    this.#managers = managers;
    const scaling = managers.filter((manager) => manager.load);
    if (scaling.length === 0) return;
    this.load = (types) => {
      for (const manager of scaling) {
        manager.load?.(types.filter(({ type }) => manager.types.includes(type)));
      }
    };
  }

  mayLack(type: string): boolean {
    const theirs = this.#managers.filter(({ types }) => types.includes(type));
    return theirs.length > 0 && theirs.every((manager) => manager.mayLack?.(type) ?? false);
  }

  start({ onAdded, onListening, onRemoved }: PlaceHandlers): void {
    for (const manager of this.#managers) {
      if (this.drain) manager.drain = this.drain;
      manager.start({
        onAdded: (place) => {
          this.#owners.set(place.name, manager);
          onAdded(place);
        },
        onListening,
        onRemoved: (place) => {
          this.#owners.delete(place.name);
          onRemoved(place);
        },
      });
    }
  }

  ensure(place: WorkerPlace): void {
    this.#owners.get(place.name)?.ensure(place);
  }

  replace(place: WorkerPlace, pid: number | undefined): void {
    this.#owners.get(place.name)?.replace(place, pid);
  }

  retire(name: string): void {
    this.#owners.get(name)?.retire?.(name);
  }

  stop(): void {
    for (const manager of this.#managers) manager.stop();
  }

  async finish(waitMs: number, pids: readonly number[]): Promise<void> {
    await Promise.all(this.#managers.map((manager) => manager.finish(waitMs, pids)));
  }
}
