/** One answer for all who ask within a time of the question, or while it is not answered. */
export class Recent<T> {
  readonly #ask: () => Promise<T>;
  readonly #sharedMs: number;
  #asked: { answer: Promise<T>; atMs: number; isOpen: boolean } | undefined;

  /** @param sharedMs how long an answer is shared, from its question on; milliseconds */
  constructor(ask: () => Promise<T>, sharedMs: number) {
    this.#ask = ask;
    this.#sharedMs = sharedMs;
  }

  /** Rejected as the question is; that is shared by those who wait for it only. */
  read(): Promise<T> {
    const asked = this.#asked;
    if (asked && (asked.isOpen || performance.now() - asked.atMs < this.#sharedMs)) {
      return asked.answer;
    }
    const asking = { answer: this.#ask(), atMs: performance.now(), isOpen: true };
    this.#asked = asking;
    asking.answer.then(
      () => {
        asking.isOpen = false;
      },
      () => {
        if (this.#asked === asking) this.#asked = undefined;
      },
    );
    return asking.answer;
  }
}
