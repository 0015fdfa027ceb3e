import { existsSync } from 'node:fs';
import type { WorkerPlace } from '../controller/manager.js';
import type { ScalingRule } from '../scaling/rule.js';
import type { Layout } from './layout.js';
import { placeAt } from './workers.js';

/** The places that workers of this host may have: TYPE-1, TYPE-2, …, as many as the rules allow. */
export class NumberedPlaces {
  readonly #rules: ReadonlyMap<string, ScalingRule>;
  readonly #layout: Layout;

  constructor(rules: ReadonlyMap<string, ScalingRule>, layout: Layout) {
    this.#rules = rules;
    this.#layout = layout;
  }

  at(type: string, number: number): WorkerPlace {
    return placeAt(type, number, this.#rules.get(type)?.slots ?? 1, this.#layout);
  }

  /** All that there may be. */
  all(): WorkerPlace[] {
    return [...this.#rules.keys()].flatMap((type) => this.#of(type));
  }

  /** As many as there are at least, and those where an earlier controller's worker may be. */
  atStart(): WorkerPlace[] {
    return [...this.#rules].flatMap(([type, { min }]) =>
      this.#of(type).filter((place, index) => index < min || isThere(place)),
    );
  }

  /** Those of one type. */
  #of(type: string): WorkerPlace[] {
    const { max = 0 } = this.#rules.get(type) ?? {};
    return Array.from({ length: max }, (_, index) => this.at(type, index + 1));
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
