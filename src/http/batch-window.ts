/**
 * How far a batch has read ahead of its answers: lines that have not had their last answer, and the
 * bytes of those whose task is not stored. One that reads waits here for room.
 */
export class BatchWindow {
  readonly #linesMax: number;
  readonly #bytesMax: number;
  #lines = 0;
  #bytes = 0;
  #waiting: { holds: () => boolean; go: () => void } | undefined;

  constructor(linesMax: number, bytesMax: number) {
    this.#linesMax = linesMax;
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Lets one line in once there is room; one at a time. A line by itself has room, however long. */
  async enter(bytes: number): Promise<void> {
    const fits = () => this.#lines < this.#linesMax && this.#bytes + bytes <= this.#bytesMax;
    await this.#until(() => this.#lines === 0 || fits());
    this.#lines++;
    this.#bytes += bytes;
  }

  /** Its task is stored, or refused: it is not needed any more. */
  release(bytes: number): void {
    this.#bytes -= bytes;
    this.#look();
  }

  /** It has had its last answer. */
  leave(): void {
    this.#lines--;
    this.#look();
  }

  /** Every line has had its last answer. */
  empty(): Promise<void> {
    return this.#until(() => this.#lines === 0);
  }

  async #until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((go) => {
      this.#waiting = { holds, go };
    });
  }

  #look(): void {
    if (!this.#waiting?.holds()) return;
    const { go } = this.#waiting;
    this.#waiting = undefined;
    go();
  }
}
