import { existsSync } from 'node:fs';
import type { WorkerPlace } from '../controller/manager.js';
import { parseAddress } from '../poll/address.js';
import type { ScalingRule } from '../scaling/rule.js';
import type { Layout } from './layout.js';

/** The places that workers of this host may have: TYPE-1, TYPE-2, …, as many as the rules allow. */
export class NumberedPlaces {
  readonly #rules: ReadonlyMap<string, ScalingRule>;
  readonly #layout: Layout;

  constructor(rules: ReadonlyMap<string, ScalingRule>, layout: Layout) {
    this.#rules = rules;
    this.#layout = layout;
  }

  at(type: string, number: number): WorkerPlace {
    const name = `${type}-${number}`;
    const slots = this.#rules.get(type)?.slots ?? 1;
    return {
      name,
      type,
      slots,
      address: parseAddress(this.#layout.workerAddress(name)),
      local: true,
    };
  }

  /** As many as there are at least, and those where an earlier controller's worker may be. */
  atStart(): WorkerPlace[] {
    return [...this.#rules].flatMap(([type, { min, max }]) => {
      const numbers = Array.from({ length: max }, (_, index) => index + 1);
      return numbers
        .map((number) => ({ number, place: this.at(type, number) }))
        .filter(({ number, place }) => number <= min || isThere(place))
        .map(({ place }) => place);
    });
  }

  /** Places that there may be at most. */
  get most(): number {
    return [...this.#rules.values()].reduce((sum, { max }) => sum + max, 0);
  }

  /** A number that no other place has, whatever else there is. */
  indexOf({ type, name }: WorkerPlace): number {
    let before = 0;
    for (const [other, { max }] of this.#rules) {
      if (other === type) break;
      before += max;
    }
    return before + Number(name.slice(type.length + 1)) - 1;
  }
}

function isThere({ address }: WorkerPlace): boolean {
  return address.kind === 'unix' && existsSync(address.path);
}
