import { type Decision, decide, emptyMemory, type Memory, type Sight } from './policy.js';
import type { ScalingRule } from './rule.js';

/** The policy with what it remembers of each type. */
export class Scaler {
  readonly rules: ReadonlyMap<string, ScalingRule>;
  readonly #memories = new Map<string, Memory>();

  constructor(rules: ReadonlyMap<string, ScalingRule>) {
    this.rules = rules;
  }

  /** Of a type that there is a rule for. */
  decide(type: string, rule: ScalingRule, sight: Sight): Decision {
    const before = this.#memories.get(type) ?? emptyMemory;
    const { memory, decision } = decide(rule, before, sight);
    this.#memories.set(type, memory);
    return decision;
  }
}
