import type { RestoredTask } from '../../src/scheduler/scheduler.js';
import type { World } from './world.js';

type Row = RestoredTask & { finished?: boolean };
type Change = (rows: Map<string, Row>) => void;

/** A store that keeps what was durable when the controller died, and of what was on its way a part. */
export class ModelStore {
  readonly #world: World;
  readonly #commitMsMax: number;
  readonly rows = new Map<string, Row>();
  #queue: { change: Change; done: () => void }[] = [];
  #busy = false;
  #life = 0;

  constructor(world: World, commitMsMax: number) {
    this.#world = world;
    this.#commitMsMax = commitMsMax;
  }

  /** Durable after a while, in order; `done` is called then, unless the controller has died. */
  write(change: Change, done: () => void = () => undefined): void {
    this.#queue.push({ change, done });
    this.#commit();
  }

  unfinished(): RestoredTask[] {
    return [...this.rows.values()].filter(({ finished }) => !finished);
  }

  /** The controller dies: of what it wrote last, the first few commits happened. */
  crash(): void {
    this.#life++;
    const kept = this.#world.random.int(0, this.#queue.length);
    for (const { change } of this.#queue.slice(0, kept)) change(this.rows);
    this.#queue = [];
    this.#busy = false;
  }

  #commit(): void {
    if (this.#busy || this.#queue.length === 0) return;
    this.#busy = true;
    const life = this.#life;
    const { random } = this.#world;
    const slow = random.chance(0.02)
      ? random.between(0, 200)
      : random.between(0.2, this.#commitMsMax);
    const count = this.#queue.length;
    this.#world.after(slow, () => {
      if (this.#life !== life) return;
      const batch = this.#queue.splice(0, count);
      for (const { change } of batch) change(this.rows);
      this.#busy = false;
      this.#commit();
      for (const { done } of batch) done();
    });
  }
}
