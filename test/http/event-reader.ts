import http from 'node:http';

export interface SseEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}

/** A client of an event stream. It reads only what is asked for: what comes meanwhile stays where it is. */
export class EventReader {
  readonly #response: http.IncomingMessage;
  readonly #chunks: AsyncIterator<Buffer>;
  /** Lines that begin with a colon, without it. */
  readonly comments: string[] = [];
  #text = '';

  private constructor(response: http.IncomingMessage) {
    this.#response = response;
    this.#chunks = response[Symbol.asyncIterator]();
  }

  static open(
    address: string,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      const request = http.request(`${address}${path}`, { headers, agent: false });
      request.on('response', (response) => resolve(new EventReader(response)));
      request.on('error', reject);
      request.end();
    });
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get headers(): http.IncomingHttpHeaders {
    return this.#response.headers;
  }

  /** The next event; undefined when the server has closed in order. Rejected when it broke off. */
  async next(): Promise<SseEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end < 0) {
        const { done, value } = await this.#chunks.next();
        if (done) return undefined;
        this.#text += value.toString('utf8');
        continue;
      }
      const event = this.#parse(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
      if (event) return event;
    }
  }

  /** The first to come that fits; those before it are passed over. */
  async find(fits: (event: SseEvent) => boolean): Promise<SseEvent> {
    for (let event = await this.next(); event; event = await this.next()) {
      if (fits(event)) return event;
    }
    throw new Error(`the stream ended: ${this.comments.join('; ')}`);
  }

  /** All that are left. */
  async rest(): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    for (let event = await this.next(); event; event = await this.next()) events.push(event);
    return events;
  }

  /** The client goes away. */
  destroy(): void {
    this.#response.on('error', () => undefined);
    this.#response.destroy();
  }

  #parse(text: string): SseEvent | undefined {
    const fields = new Map<string, string>();
    for (const line of text.split('\n')) {
      const colon = line.indexOf(':');
      if (colon === 0) this.comments.push(line.slice(1).trim());
      else fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
    }
    const name = fields.get('event');
    if (name === undefined) return undefined;
    const data = JSON.parse(fields.get('data') ?? '') as Record<string, unknown>;
    return { id: fields.get('id') ?? '', name, data };
  }
}

/** What came of one output, in order and without a gap; throws where there is one. */
export function outputOf(events: SseEvent[], stream: 'stdout' | 'stderr', attempt: number): Buffer {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (const { name, data } of events) {
    if (name !== stream || data.attempt !== attempt) continue;
    if (data.offset !== bytes) throw new Error(`at ${data.offset} where ${bytes} comes next`);
    const text = data.text as string | undefined;
    const part =
      text === undefined ? Buffer.from(String(data.base64), 'base64') : Buffer.from(text);
    parts.push(part);
    bytes += part.length;
  }
  return Buffer.concat(parts);
}
