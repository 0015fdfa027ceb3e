import http from 'node:http';
import type { Test } from 'tap';

export interface BatchLine {
  line: number;
  status: number;
  task?: Record<string, unknown> & { id: string; state: string };
  replayed?: boolean;
  error?: Record<string, unknown>;
}

/** A batch under way: lines go in and answers come out as the test wants. */
export class BatchCall {
  readonly request: http.ClientRequest;
  /** Everything that came, and was not taken yet. */
  readonly #lines: BatchLine[] = [];
  #waiting: (() => void) | undefined;
  #text = '';
  headers: http.IncomingHttpHeaders = {};
  status = 0;
  ended = false;
  response: http.IncomingMessage | undefined;

  constructor(t: Test, address: string, path = '/v1/tasks/batch', headers = {}) {
    const { hostname, port } = new URL(address);
    this.request = http.request({
      ...{ hostname, port, path, method: 'POST', agent: false },
      headers: { 'content-type': 'application/x-ndjson', ...headers },
    });
    this.request.on('response', (response) => this.#take(response));
    this.request.on('error', () => this.#end());
    t.teardown(() => this.request.destroy());
  }

  write(...values: (object | string | Buffer)[]): void {
    for (const value of values) {
      const isRaw = typeof value === 'string' || Buffer.isBuffer(value);
      this.request.write(isRaw ? value : `${JSON.stringify(value)}\n`);
    }
  }

  /** The next line of the answer; undefined at its end. */
  async next(): Promise<BatchLine | undefined> {
    while (this.#lines.length === 0 && !this.ended) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#lines.shift();
  }

  /** Ends the body; the rest of the answer. */
  async rest(): Promise<BatchLine[]> {
    this.request.end();
    const lines: BatchLine[] = [];
    for (let line = await this.next(); line; line = await this.next()) lines.push(line);
    return lines;
  }

  #take(response: http.IncomingMessage): void {
    this.response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const parts = `${this.#text}${text}`.split('\n');
      this.#text = parts.pop() ?? '';
      for (const part of parts) this.#lines.push(JSON.parse(part) as BatchLine);
      this.#wake();
    });
    response.on('error', () => this.#end());
    response.on('close', () => this.#end());
    this.#wake();
  }

  #end(): void {
    this.ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
