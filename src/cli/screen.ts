import type { ReadStream, WriteStream } from 'node:tty';

export interface Size {
  columns: number;
  rows: number;
}

/** Source: xterm, "Control sequences", DECSET 1049 and 25 */
const enterAlternate = '\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J';
const leaveAlternate = '\x1b[?25h\x1b[?1049l';
const ctrlC = '\x03';
const ctrlD = '\x04';

/**
 * The whole terminal, for as long as somebody looks: a screen of its own, so that what stood there
 * stands there afterwards, however the process ends (but for SIGKILL).
 */
export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #left = new AbortController();
  #isEntered = false;
  onKey: (key: string) => void = () => undefined;
  onResize: () => void = () => undefined;

  constructor(input: ReadStream, output: WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  /** Aborts when it is left. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  get isLeft(): boolean {
    return this.#left.signal.aborted;
  }

  size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  enter(): void {
    this.#isEntered = true;
    this.#output.write(enterAlternate);
    process.on('exit', this.#restore);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, this.#onSignal);
    this.#output.on('resize', this.#onSizeChange);
    if (!this.#input.isTTY) return;
    this.#input.setRawMode(true);
    this.#input.setEncoding('utf8').on('data', this.#onInput).resume();
  }

  leave(): void {
    this.#left.abort();
    this.#restore();
    process.off('exit', this.#restore);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.off(signal, this.#onSignal);
    this.#output.off('resize', this.#onSizeChange);
    if (this.#input.isTTY) this.#input.off('data', this.#onInput).pause();
  }

  /**
   * Draws over what is there, in one write: nothing is blank in between, so nothing flickers.
   *
   * @param lines no more than there are rows, none wider than the screen
   */
  draw(lines: readonly string[]): void {
    if (!this.#isEntered) return;
    const text = lines.map((line) => `${line}\x1b[K`).join('\r\n');
    this.#output.write(`\x1b[H${text}\x1b[J`);
  }

  /** Ends early when the screen is left. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, ms);
      const { signal } = this.#left;
      function done() {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      if (signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }

  readonly #onSizeChange = () => this.onResize();
  readonly #onSignal = () => this.leave();

  readonly #onInput = (keys: unknown) => {
    for (const key of String(keys)) {
      if (key === ctrlC || key === ctrlD) this.leave();
      else this.onKey(key);
      if (this.isLeft) return;
    }
  };

  readonly #restore = () => {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    if (this.#input.isTTY) this.#input.setRawMode(false);
    this.#output.write(leaveAlternate);
  };
}
