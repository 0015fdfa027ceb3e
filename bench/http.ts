import { once } from 'node:events';
import { Agent, request as ask, type IncomingMessage } from 'node:http';

export interface Answer {
  status: number;
  body: Buffer;
}

/**
 * A client over kept connections, made of node:http alone. What it takes itself is part of every
 * figure that is measured through it.
 */
export class Http {
  readonly #address: string;
  readonly #agent: Agent;

  /** @param connections that are kept at most */
  constructor(address: string, connections: number) {
    this.#address = address;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  async request(method: string, path: string, body?: string, type?: string): Promise<Answer> {
    const headers = type === undefined ? {} : { 'content-type': type };
    const asked = ask(`${this.#address}${path}`, { agent: this.#agent, method, headers });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks) };
  }

  /** The body of the answer is read as JSON. */
  async json(method: string, path: string, body?: unknown) {
    const type = body === undefined ? undefined : 'application/json';
    const answer = await this.request(method, path, JSON.stringify(body), type);
    return { status: answer.status, body: JSON.parse(answer.body.toString()) as unknown };
  }

  /** Ends the connections that are kept; further requests open new ones. */
  close(): void {
    this.#agent.destroy();
  }
}
