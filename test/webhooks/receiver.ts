import { createHmac } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A real receiver of webhooks on loopback, until the test ends. */
export class Receiver {
  readonly received: Received[] = [];
  readonly #server: Server;

  private constructor(respond: (response: ServerResponse, count: number) => void) {
    this.#server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        this.received.push({ path: request.url ?? '', headers: request.headers, body });
        respond(response, this.received.length);
      });
      response.on('error', () => undefined);
    });
  }

  /** @param respond answers the request of that number, from 1 */
  static async start(
    t: Test,
    respond: (response: ServerResponse, count: number) => void = (response) => response.end(),
  ): Promise<Receiver> {
    const receiver = new Receiver(respond);
    const server = receiver.#server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }
}

/** What `webhook-signature` is to be, of what came, by the bytes of the secret. */
export function signature(headers: IncomingHttpHeaders, body: string, key: Buffer): string {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  return `v1,${createHmac('sha256', key).update(text).digest('base64')}`;
}
