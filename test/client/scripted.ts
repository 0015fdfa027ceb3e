import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { freePort } from '../../bench/free-port.js';

export interface Asked {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** How one request is answered; `asked` has been read to its end. */
export type Act = (response: ServerResponse, asked: Asked) => void;

export interface Scripted {
  url: string;
  /** Every request that came, in order. */
  asked: Asked[];
}

/** A real HTTP server that answers its requests one by one as it is told; further ones as the last. */
export async function scripted(t: Test, ...acts: Act[]): Promise<Scripted> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const one = { method, path: url, headers, body: await text(request) };
    asked.push(one);
    const act = acts[Math.min(asked.length, acts.length) - 1];
    act?.(response, one);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

export const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Act =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(value));
  };

export const problem = (
  status: number,
  code: string,
  more: object = {},
  headers: Record<string, string> = {},
): Act => json(status, { status, code, detail: `that is ${code}`, ...more }, headers);

/** It was read, perhaps done, and nobody hears of it. */
export const hangUp: Act = (response) => response.destroy();

/** Never answers. */
export const silence: Act = () => undefined;

/** The parts of a body one by one; then the end, or the connection breaks. */
export const stream =
  (parts: readonly string[], ending: 'end' | 'break' | 'stay', type = 'text/event-stream'): Act =>
  async (response) => {
    response.writeHead(200, { 'content-type': type });
    response.flushHeaders();
    for (const part of parts) {
      await new Promise((resolve) => response.write(part, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (ending === 'end') response.end();
    if (ending === 'break') response.destroy();
  };

export const taskId = '01890a5d-ac96-774b-bcce-b302099a8057';

export function task(changes: object = {}) {
  return { id: taskId, type: 'bash', state: 'pending', tags: [], attempt: 0, ...changes };
}

/** Where nobody listens any more. */
export async function closedUrl(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
