import { bytesOf } from '../../src/client/task.js';
import { OutputText } from './output-text.js';

/** A piece of an output, as events have it. */
export type Piece = { text: string } | { base64: string };

/** An output while it comes: bytes in pieces, as the text that they are. */
export class LiveOutput {
  readonly text = new OutputText();
  #byteCount = 0;
  /** Pieces may end within a character: what there is of it waits for the rest. */
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  get byteCount(): number {
    return this.#byteCount;
  }

  add(piece: Piece): void {
    const bytes = 'text' in piece ? bytesOf(piece.text) : bytesOf(piece.base64, 'base64');
    this.#byteCount += bytes.length;
    this.text.append(this.#decoder.decode(bytes, { stream: true }));
  }

  /** There is no more: what is left of a character is shown as U+FFFD. */
  end(): void {
    this.text.append(this.#decoder.decode());
  }
}
