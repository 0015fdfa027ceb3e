import { type ProblemCode, problem } from './problem.js';
import type { Token } from './tokens.js';

export interface SharesOptions {
  /** Of one token. */
  max: number;
  /** What they are, in the plural: for people. */
  what: string;
  /** Of the refusal. */
  code: ProblemCode;
}

/** Something that each token may have only so many of at once, so that none has all that there is. */
export class Shares {
  readonly #options: SharesOptions;
  /** By token id; never 0. */
  readonly #counts = new Map<string, number>();

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /**
   * Takes one for whoever asks, until what it returns is called, once. Where nobody needs a token,
   * nobody has a share.
   *
   * @throws Problem with the code
   */
  take(token: Token | undefined): () => void {
    if (!token) return () => undefined;
    const { id, name } = token;
    const { max, what, code } = this.#options;
    const count = this.#counts.get(id) ?? 0;
    if (count >= max) {
      const detail = `the token ${name} has ${count} ${what}, as many as one may: end one of them, or wait for its end`;
      throw problem(code, detail);
    }
    this.#counts.set(id, count + 1);
    return () => {
      const left = (this.#counts.get(id) ?? 0) - 1;
      if (left > 0) this.#counts.set(id, left);
      else this.#counts.delete(id);
    };
  }
}
