import { signal } from '@preact/signals';
import { ask } from '../api/http.js';
import { ApiError, sentenceOf } from '../api/problem.js';
import { OutputText } from '../verdict/output-text.js';

/** Of one request. */
const pageBytes = 256 * 1024;

interface Piece {
  bytes: Uint8Array;
  /** Of the first byte. */
  from: number;
  /** Of the whole output. */
  total: number;
}

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
  readonly #decoder = new TextDecoder();
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
    const from = this.loadedBytes.value;
    await this.#asking(async () => {
      const { bytes, total } = await this.#range(`${from}-${from + pageBytes - 1}`);
      const loaded = from + bytes.length;
      this.text.append(this.#decoder.decode(bytes, { stream: loaded < total }));
      this.loadedBytes.value = loaded;
      this.totalBytes.value = total;
      const { value: end } = this.end;
      if (end && loaded >= end.from) this.end.value = undefined;
    });
  }

  /** The last page. */
  async last(): Promise<void> {
    await this.#asking(async () => {
      const { bytes, from } = await this.#range(`-${pageBytes}`);
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

  /**
   * Source: RFC 9110, 14
   *
   * @param range as in `bytes=`
   */
  async #range(range: string): Promise<Piece> {
    const { signal } = this.#ending;
    try {
      const response = await ask(this.path, { headers: { range: `bytes=${range}` }, signal });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const content = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
      // Without one it is the whole.
      if (!content) return { bytes, from: 0, total: bytes.length };
      return { bytes, from: Number(content[1]), total: Number(content[2]) };
    } catch (error) {
      // Of nothing there is no range.
      if (!(error instanceof ApiError) || error.status !== 416) throw error;
      return { bytes: new Uint8Array(), from: 0, total: this.loadedBytes.value };
    }
  }
}

/** Where the first character begins that is whole. */
function wholeFrom(bytes: Uint8Array): number {
  let from = 0;
  while (from < 4 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return from < 4 ? from : 0;
}
