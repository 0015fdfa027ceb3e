import type { DatabaseName, KeyOf, ValueOf } from './databases.js';
import { Layer, type Source } from './layer.js';

/**
 * What one commit will write. Reads see what is below and, above that, what has been changed here;
 * so a whole commit's worth of calls is worked out before anything is written. Values are not to be
 * changed once they are here.
 */
export class Changes implements Source {
  readonly layer = new Layer();
  readonly #below: Source;
  #undo: (() => void)[] = [];

  constructor(below: Source) {
    this.#below = below;
  }

  get<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): ValueOf<Name> | undefined {
    const change = this.layer.get(name, key);
    return change ? (change.value as ValueOf<Name> | undefined) : this.#below.get(name, key);
  }

  put<Name extends DatabaseName>(name: Name, key: KeyOf<Name>, value: ValueOf<Name>): void {
    this.#undo.push(this.layer.set(name, { key, value }));
  }

  remove<Name extends DatabaseName>(name: Name, key: KeyOf<Name>): void {
    this.#undo.push(this.layer.set(name, { key, value: undefined }));
  }

  /** Runs a step; when it throws, nothing of what it changed stays. */
  step<T>(change: () => T): T {
    this.#undo = [];
    try {
      return change();
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      throw error;
    } finally {
      this.#undo = [];
    }
  }
}
