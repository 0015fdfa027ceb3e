/** Between two drawings of the bar, in milliseconds. */
const redrawMs = 100;
const barWidth = 30;

/** How far long work is: a line on stderr that is drawn anew, only where that is a terminal. */
export class ProgressLine {
  readonly #label: string;
  readonly #stream: NodeJS.WriteStream;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(label: string, stream: NodeJS.WriteStream = process.stderr) {
    this.#label = label;
    this.#stream = stream;
  }

  /** @param total absent when nobody knows */
  show(done: number, total?: number): void {
    if (!this.#stream.isTTY) return;
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    this.#isDrawn = true;
    this.#stream.write(`\r\x1b[K${this.#label} ${extent(done, total)}`);
  }

  /** Takes the line away: what is written next stands in its place. */
  end(): void {
    if (this.#isDrawn) this.#stream.write('\r\x1b[K');
    this.#isDrawn = false;
  }
}

function extent(done: number, total: number | undefined): string {
  if (total === undefined || total === 0) return done.toLocaleString('en');
  const share = Math.min(1, done / total);
  const full = Math.round(share * barWidth);
  const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
  return `${bar} ${Math.floor(share * 100)} % of ${total.toLocaleString('en')}`;
}
