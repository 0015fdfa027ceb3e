import { type Signal, signal } from '@preact/signals';

/** Text that grows at its end, kept as lines: what is shown of it is looked up, however long it is. */
export class OutputText {
  /** Changes after there was more, at most once per frame that the browser draws. */
  readonly version: Signal<number> = signal(0);
  readonly #lines: string[] = [''];
  #length = 0;
  #isAnnounced = false;

  /** @param text may begin and end within a line */
  append(text: string): void {
    if (text === '') return;
    this.#length += text.length;
    const parts = text.split('\n');
    const last = this.#lines.length - 1;
    this.#lines[last] = `${this.#lines[last] ?? ''}${parts[0] ?? ''}`;
    for (let index = 1; index < parts.length; index += 1) this.#lines.push(parts[index] ?? '');
    this.#announce();
  }

  /** UTF-16 units. */
  get length(): number {
    return this.#length;
  }

  /** Line ends are counted, and what comes after the last one. */
  get lineCount(): number {
    return this.#lines.length - (this.#lines.at(-1) === '' ? 1 : 0);
  }

  /** @param index from 0 */
  line(index: number): string {
    return this.#lines[index] ?? '';
  }

  /** All of it, as it came. */
  whole(): string {
    return this.#lines.join('\n');
  }

  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    requestAnimationFrame(() => {
      this.#isAnnounced = false;
      this.version.value += 1;
    });
  }
}
