import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../test/simulation/random.js';
import type { Http } from '../http.js';

/** A task as the service shows it. */
export interface TaskView {
  id: string;
  state: string;
  attempt: number;
  outcome?: string;
  code?: string;
  reason?: string;
  stdout?: string;
  stderr?: string;
}

/** One sort of what clients do. */
export interface Kind {
  name: string;
  /** How often, among the others. */
  weight: number;
  /** It takes much memory of the service: all clients do it at once before each count. */
  isLarge?: true;
  /** @throws Misfit when anything of it is other than it must be */
  run(session: Session): Promise<void>;
}

/** A task was not what it had to be. */
export class Misfit extends Error {}

/** What one client of the load has: its way to the service, and its own luck. */
export class Session {
  readonly random: Random;
  readonly #http: Http;
  readonly #port: number;

  constructor(http: Http, port: number, random: Random) {
    this.#http = http;
    this.#port = port;
    this.random = random;
  }

  /** Sends a JSON body. @throws Misfit unless it is answered with this status */
  async ask(method: string, path: string, body: unknown, status: number): Promise<TaskView> {
    const answer = await this.#http.json(method, path, body);
    mustBe(`status of ${method} ${path}`, answer.status, status, answer.body);
    return answer.body as TaskView;
  }

  /** From its submission to its end. */
  run(spec: object): Promise<TaskView> {
    return this.ask('POST', `/v1/tasks?wait=${waitSeconds}`, spec, 200);
  }

  submit(spec: object): Promise<TaskView> {
    return this.ask('POST', '/v1/tasks', spec, 201);
  }

  finished(id: string): Promise<TaskView> {
    return this.ask('GET', `/v1/tasks/${id}?wait=${waitSeconds}`, undefined, 200);
  }

  /** Whatever the body is. @throws Misfit unless it is answered with this status */
  async send(method: string, path: string, body: string, type: string, status: number) {
    const answer = await this.#http.request(method, path, body, type);
    mustBe(`status of ${method} ${path}`, answer.status, status, answer.body.toString());
    return answer.body;
  }

  /** Sends bytes on a connection of their own, and breaks it off after a while, whatever came. */
  async breakOff(bytes: string, afterMs: number): Promise<void> {
    const socket = createConnection(this.#port, '127.0.0.1');
    await once(socket, 'connect');
    // The service may end it first; either is a broken connection.
    socket.on('error', () => socket.destroy());
    socket.write(bytes);
    await delay(afterMs);
    socket.resetAndDestroy();
  }
}

/** More than anything here takes, however busy the host is. */
const waitSeconds = 300;

/** @throws Misfit with all that was seen */
export function mustBe(what: string, got: unknown, wanted: unknown, seen?: unknown): void {
  if (got === wanted) return;
  const all = seen === undefined ? '' : `; ${JSON.stringify(seen).slice(0, 1_000)}`;
  const [is, should] = [got, wanted].map((value) => JSON.stringify(value)?.slice(0, 200));
  throw new Misfit(`${what} is ${is}, expected ${should}${all}`);
}

/** @throws Misfit unless it is finished with this outcome, and with this code where one is given */
export function ends(view: TaskView, outcome: string, code?: string): void {
  mustBe('state', view.state, 'finished', view);
  mustBe('outcome', view.outcome, outcome, view);
  if (code !== undefined) mustBe('code', view.code, code, view);
}
