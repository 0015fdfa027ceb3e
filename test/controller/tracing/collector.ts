import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface CollectedSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

/** A collector of OTLP/HTTP, JSON: keeps what it gets, and answers as it is told to. */
export class Collector {
  readonly endpoint: string;
  /** Of requests that were answered with 200. */
  readonly spans: CollectedSpan[] = [];
  /** All that came. */
  readonly requests: { path: string; contentType: string | undefined; spans: number }[] = [];
  /** Status of the next answers; undefined: it does not answer. */
  status: number | undefined = 200;
  readonly held: ServerResponse[] = [];

  private constructor(endpoint: string) {
    this.endpoint = endpoint;
  }

  static async start(t: Test): Promise<Collector> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const collector = new Collector(`http://127.0.0.1:${port}`);
    server.on('request', (request, response) => void collector.#take(request, response));
    t.teardown(() => {
      server.close();
      server.closeAllConnections();
    });
    return collector;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString());
    const spans: CollectedSpan[] = resourceSpans[0].scopeSpans[0].spans;
    const { url: path = '', headers } = request;
    this.requests.push({ path, contentType: headers['content-type'], spans: spans.length });
    if (this.status === undefined) {
      this.held.push(response);
      return;
    }
    if (this.status === 200) this.spans.push(...spans);
    response
      .writeHead(this.status, { 'content-type': 'application/json', location: '/' })
      .end('{}');
  }
}
