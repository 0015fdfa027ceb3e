import { signal } from '@preact/signals';
import { ask } from '../api/http.js';
import { sentenceOf } from '../api/problem.js';
import { OutputText } from '../verdict/output-text.js';

/** Of one request. */
const pageBytes = 256 * 1024;

/**
 * The stored output of a task that has ended, page by page: it may be 5 MiB, of which nobody wants to
 * wait for all.
 */
export class StoredOutput {
  readonly stream: 'stdout' | 'stderr';
  /** Its beginning, as far as it has come. */
  readonly text = new OutputText();
  /** Its end, where that was asked for before what is between. */
  readonly end = signal<{ text: OutputText; from: number } | undefined>(undefined);
  readonly loadedBytes = signal(0);
  /** Undefined until the first page has come. */
  readonly totalBytes = signal<number | undefined>(undefined);
  readonly isAsking = signal(false);
  readonly fault = signal('');
  /** Where the service has it. */
  readonly path: string;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #ending = new AbortController();

  constructor(id: string, stream: 'stdout' | 'stderr') {
    this.stream = stream;
    this.path = `/v1/tasks/${encodeURIComponent(id)}/${stream}`;
  }

  /** What is asked for is not wanted any more. */
  stop(): void {
    this.#ending.abort();
  }

  /** The next page. */
  async more(): Promise<void> {
    await this.#asking(async () => {
      const total = this.totalBytes.value ?? (await this.#size());
      const from = this.loadedBytes.value;
      if (from < total) {
        const bytes = await this.#range(from, Math.min(total, from + pageBytes));
        const loaded = from + bytes.length;
        this.text.append(this.#decoder.decode(bytes, { stream: loaded < total }));
        this.loadedBytes.value = loaded;
        const { value: end } = this.end;
        if (end && loaded >= end.from) this.end.value = undefined;
      }
      this.totalBytes.value = total;
    });
  }

  /** The last page. */
  async last(): Promise<void> {
    await this.#asking(async () => {
      const total = this.totalBytes.value ?? (await this.#size());
      const from = Math.max(0, total - pageBytes);
      const bytes = await this.#range(from, total);
      const text = new OutputText();
      text.append(new TextDecoder().decode(bytes.subarray(wholeFrom(bytes))));
      this.end.value = { text, from };
    });
  }

  async #asking(what: () => Promise<void>): Promise<void> {
    if (this.isAsking.value) return;
    this.isAsking.value = true;
    this.fault.value = '';
    try {
      await what();
    } catch (error) {
      if (!this.#ending.signal.aborted) this.fault.value = sentenceOf(error);
    }
    this.isAsking.value = false;
  }

  /** Of the whole, in bytes. Asked for by itself: of nothing there is no range. */
  async #size(): Promise<number> {
    const { signal } = this.#ending;
    const { headers } = await ask(this.path, { method: 'HEAD', signal });
    return Number(headers.get('content-length') ?? 0);
  }

  /**
   * Source: RFC 9110, 14.2
   *
   * @param to the byte after the last one
   */
  async #range(from: number, to: number): Promise<Uint8Array> {
    const headers = { range: `bytes=${from}-${to - 1}` };
    const response = await ask(this.path, { headers, signal: this.#ending.signal });
    const bytes = new Uint8Array(await response.arrayBuffer());
    // Who does not know of ranges answers with everything.
    return response.status === 206 ? bytes : bytes.subarray(from, to);
  }
}

/** Where the first character begins that is whole. */
function wholeFrom(bytes: Uint8Array): number {
  let from = 0;
  while (from < 4 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return from < 4 ? from : 0;
}
