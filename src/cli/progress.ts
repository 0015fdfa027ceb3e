import { fitted } from './visible.js';

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
    this.draw(() => extent(done, total));
  }

  /** @param text what stands after the label; asked for only when it is drawn */
  draw(text: () => string): void {
    if (!this.#stream.isTTY) return;
    const nowMs = performance.now();
    if (nowMs - this.#drawnMs < redrawMs) return;
    this.#drawnMs = nowMs;
    this.#isDrawn = true;
    const line = fitted(`${this.#label} ${text()}`, (this.#stream.columns || 80) - 1).trimEnd();
    this.#stream.write(`\r\x1b[K${line}`);
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
  return `${shareBar(share)} ${Math.floor(share * 100)} % of ${total.toLocaleString('en')}`;
}

/** How much of something is done, as a bar. */
export function shareBar(share: number, width = barWidth): string {
  const full = Math.round(Math.min(1, share) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
