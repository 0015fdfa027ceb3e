import type { World } from './world.js';

/** One direction of a connection: what is sent arrives in order, or not at all. */
class Way {
  readonly #world: World;
  readonly #link: Link;
  readonly #delayMs: number;
  #lastMs = 0;

  constructor(world: World, link: Link) {
    this.#world = world;
    this.#link = link;
    this.#delayMs = world.random.exponential(2);
  }

  send(arrive: () => void): void {
    const { nowMs, random } = this.#world;
    const late = random.chance(0.02) ? random.between(0, 300) : random.between(0, 1);
    this.#lastMs = Math.max(this.#lastMs, nowMs + this.#delayMs + late);
    this.#world.after(this.#lastMs - nowMs, () => {
      if (!this.#link.broken) arrive();
    });
  }
}

/**
 * The connections between controller and worker: tasks go one way, results the other, and
 * acknowledgements a third, each in order and with a delay of its own. They break together; what
 * was on its way is gone, and each side learns of it in its own time.
 */
export class Link {
  readonly toReceiver: Way;
  readonly toEmitter: Way;
  readonly fromEmitter: Way;
  broken = false;

  constructor(world: World) {
    this.toReceiver = new Way(world, this);
    this.toEmitter = new Way(world, this);
    this.fromEmitter = new Way(world, this);
  }
}
