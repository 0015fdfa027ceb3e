import http from 'node:http';
import net from 'node:net';
import type { Test } from 'tap';
import { type HttpOptions, type HttpServer, startHttp } from '../../src/http/server.js';
import { createLog } from '../../src/log.js';
import { FakeController, wireToken } from './fake-controller.js';

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  text: string;
  /** The body as JSON; throws when it is none. */
  json: Record<string, unknown>;
}

export interface Asking {
  method?: string;
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

export const silentLog = createLog('test', 'silent');

export function httpOptions(controllerAddress: string): HttpOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    debugHost: '127.0.0.1',
    debugPort: 0,
    controllerAddress,
    wireToken,
    noAuth: false,
    allowedHosts: [],
    drainMs: 5_000,
    controllerWaitMs: 20_000,
    log: silentLog,
  };
}

export interface Daemon extends HttpServer {
  controller: FakeController;
  ask(asking: Asking): Promise<Answer>;
}

/** A daemon and its controller, both real, until the test ends. */
export async function startDaemon(
  t: Test,
  changes: Partial<HttpOptions> = {},
  controllerIsThere = true,
): Promise<Daemon> {
  const controller = new FakeController();
  t.teardown(() => controller.dispose());
  if (controllerIsThere) controller.start();
  const server = await startHttp({ ...httpOptions(controller.address), ...changes });
  t.teardown(() => server.close());
  return { ...server, controller, ask: (asking) => ask(server.address, asking) };
}

/** One request over a connection of its own. */
export function ask(address: string, asking: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    begin(address, asking, resolve, reject);
  });
}

/** A request whose connection the caller may break: `destroy()`. */
export function begin(
  address: string,
  { method = 'GET', path = '/', headers = {}, body }: Asking,
  onAnswer: (answer: Answer) => void,
  onError: (error: Error) => void,
): http.ClientRequest {
  const { hostname, port } = new URL(address);
  const options = { hostname, port, method, path, headers, agent: false };
  const request = http.request(options, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', onError);
    response.on('end', () => onAnswer(answerOf(response, Buffer.concat(chunks))));
  });
  request.on('error', onError);
  request.end(body);
  return request;
}

function answerOf(response: http.IncomingMessage, body: Buffer): Answer {
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body,
    text: body.toString('utf8'),
    get json() {
      return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
    },
  };
}

/** Sends these bytes, and returns everything that comes until the server closes. */
export function exchange(address: string, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(address);
    const socket = net.connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    socket.write(bytes);
  });
}

/** What every problem must look like; returns its body. */
export function assertProblem(t: Test, answer: Answer, status: number, code: string) {
  t.equal(answer.status, status, `status of ${code}`);
  t.equal(answer.headers['content-type'], 'application/problem+json');
  const { json } = answer;
  t.equal(json.code, code);
  t.equal(json.status, status);
  t.type(json.title, 'string');
  t.type(json.type, 'string');
  t.ok(typeof json.detail === 'string' && json.detail.length > 0, 'there is a detail');
  return json;
}
