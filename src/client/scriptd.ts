import { ScriptdError } from '../errors.js';
import { type BatchLine, type BatchOptions, type BatchTask, batchOf } from './batch.js';
import { type EventOptions, eventsOf, type TaskEvent } from './events.js';
import { newIdempotencyKey } from './idempotency-key.js';
import { clientLimits } from './limits.js';
import type { Overview, OverviewEvent } from './overview.js';
import { overviewEventsOf } from './overview-events.js';
import { type Fetch, type OnRetry, Requests } from './requests.js';
import {
  type Explanation,
  type FinishedTask,
  isFinished,
  type Queue,
  type SubmittedSpec,
  type Task,
  type TaskFilter,
  type TaskSpec,
  type WorkerInfo,
} from './task.js';
import type { TokenInfo, TokenList, TokenSpec } from './token.js';

export interface ScriptdOptions {
  /** Of the service, default http://127.0.0.1:5000; a path in it goes before those of the API. */
  url?: string | undefined;
  /** Shown as `Authorization: Bearer TOKEN`. */
  token?: string | undefined;
  /**
   * For one request, beside the time for which the service is asked to hold its answer. Default
   * 30,000 ms. A whole call is bounded by a signal: `AbortSignal.timeout(ms)`.
   */
  timeoutMs?: number | undefined;
  /** How often a request is sent again that was lost or came at a bad time. Default 8; 0: never. */
  retries?: number | undefined;
  /** Told of each request, or line of a batch, that is sent again, and of the wait before it is. */
  onRetry?: OnRetry | undefined;
  /** Instead of the global one. */
  fetch?: Fetch | undefined;
}

export interface CallOptions {
  /** Ends the call: it throws the reason of the signal. */
  signal?: AbortSignal | undefined;
}

export interface SubmitOptions extends CallOptions {
  /**
   * A repeat with the same key, within 24 h, runs nothing and brings the first one's task. Without
   * it each call makes one, so that its own repeats run once.
   */
  idempotencyKey?: string | undefined;
}

/**
 * A scriptd service.
 *
 * Every method throws `ServiceError` when the service refuses (match on its `code`), `ScriptdError`
 * with SERVICE_UNREACHABLE, SERVICE_SILENT or BAD_ANSWER when it cannot be asked, and the reason of
 * the signal. What a script did is no error: its task says it (`outcome`, `code`, `reason`).
 */
export class Scriptd {
  /** Without a slash at its end. */
  readonly url: string;
  readonly #requests: Requests;

  /** @throws ScriptdError BAD_URL, BAD_OPTION */
  constructor({ url, token, timeoutMs, retries, onRetry, fetch: own }: ScriptdOptions = {}) {
    this.url = checkedUrl(url ?? 'http://127.0.0.1:5000');
    this.#requests = new Requests({
      url: this.url,
      headers: token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` },
      timeoutMs: checkedNumber('timeoutMs', timeoutMs ?? clientLimits.timeoutMsDefault, 1),
      retries: checkedNumber('retries', retries ?? clientLimits.retriesDefault, 0),
      onRetry,
      // As a method of something else a browser's own does not work.
      fetch: own ?? ((input, init) => fetch(input, init)),
    });
  }

  /** Stores a task, and brings it as it was stored. It runs also when nobody asks for it again. */
  submit(spec: TaskSpec, options: SubmitOptions = {}): Promise<Task> {
    return this.#post<Task>('/v1/tasks', { ...options, body: spec, key: true });
  }

  /** Submits a task and waits until it is finished, however long that takes. */
  async run(spec: TaskSpec, options: SubmitOptions = {}): Promise<FinishedTask> {
    const path = `/v1/tasks?wait=${clientLimits.waitSeconds}`;
    const heldMs = clientLimits.waitSeconds * 1_000;
    const task = await this.#post<Task>(path, { ...options, body: spec, key: true, heldMs });
    return isFinished(task) ? task : this.wait(task.id, options);
  }

  /** The task as it stands. */
  get(id: string, options: CallOptions = {}): Promise<Task> {
    return this.#get(taskPath(id), options);
  }

  /** The task once it is finished. */
  async wait(id: string, options: CallOptions = {}): Promise<FinishedTask> {
    const path = `${taskPath(id)}?wait=${clientLimits.waitSeconds}`;
    for (;;) {
      const heldMs = clientLimits.waitSeconds * 1_000;
      const task = await this.#get<Task>(path, { ...options, heldMs });
      if (isFinished(task)) return task;
    }
  }

  /** What a finished task wrote, byte for byte. */
  output(id: string, stream: 'stdout' | 'stderr', { signal }: CallOptions = {}) {
    const path = `${taskPath(id)}/${stream}`;
    const asking = { method: 'GET', path, repeatable: true, signal } as const;
    return this.#requests.ask(asking, async (answer) => new Uint8Array(await answer.arrayBuffer()));
  }

  /** The script of a task. */
  script(id: string, { signal }: CallOptions = {}): Promise<string> {
    const asking = { method: 'GET', path: `${taskPath(id)}/script`, repeatable: true } as const;
    return this.#requests.ask({ ...asking, signal }, (answer) => answer.text());
  }

  /** What a task was submitted with. */
  spec(id: string, options: CallOptions = {}): Promise<SubmittedSpec> {
    return this.#get(`${taskPath(id)}/spec`, options);
  }

  /** Tasks that fit, newest submission first, without their outputs. Pages are asked for as needed. */
  async *list(filter: TaskFilter = {}, options: CallOptions = {}): AsyncGenerator<Task> {
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: String(clientLimits.pageTasks) });
      for (const [name, value] of Object.entries({ ...filter, cursor })) {
        if (value !== undefined) query.set(name, String(value));
      }
      const path = `/v1/tasks?${query}`;
      const page = await this.#get<{ tasks: Task[]; next?: string }>(path, options);
      yield* page.tasks;
      cursor = page.next;
    } while (cursor !== undefined);
  }

  /** Everything that happens to a task, its output included, from its beginning to its end. */
  events(id: string, options: EventOptions = {}): AsyncGenerator<TaskEvent> {
    return eventsOf(id, this.#requests, options);
  }

  /**
   * Submits many tasks. Tells of each once it is stored or refused, in their order; with
   * `waitSeconds`, again once it is finished.
   */
  batch(
    tasks: Iterable<BatchTask> | AsyncIterable<BatchTask>,
    options: BatchOptions = {},
  ): AsyncGenerator<BatchLine> {
    return batchOf(tasks, this.#requests, options);
  }

  /** Ends a task, and brings it once it is finished. ALREADY_FINISHED when it had ended otherwise. */
  cancel(id: string, options: CallOptions = {}): Promise<FinishedTask> {
    return this.#post(`${taskPath(id)}/cancel`, options);
  }

  /** Sends a finished task again. Not repeated where it may have been done: it would run twice. */
  retry(id: string, options: CallOptions = {}): Promise<Task> {
    return this.#post(`${taskPath(id)}/retry`, { ...options, repeatable: false });
  }

  /** Why a task is where it is. */
  explain(id: string, options: CallOptions = {}): Promise<Explanation> {
    return this.#get(`${taskPath(id)}/explain`, options);
  }

  async queues(options: CallOptions = {}): Promise<Queue[]> {
    return (await this.#get<{ queues: Queue[] }>('/v1/queues', options)).queues;
  }

  async workers(options: CallOptions = {}): Promise<WorkerInfo[]> {
    return (await this.#get<{ workers: WorkerInfo[] }>('/v1/workers', options)).workers;
  }

  /** How the service stands, and what somebody should look at. */
  overview(options: CallOptions = {}): Promise<Overview> {
    return this.#get('/v1/overview', options);
  }

  /** The same whenever it is another, with what went on in the last hour. Ends with the signal only. */
  overviewEvents({ signal }: CallOptions = {}): AsyncGenerator<OverviewEvent> {
    return overviewEventsOf(this.#requests, signal);
  }

  /**
   * Has a worker finish what it has, and end; brings it as it stands then. Not repeated where it may
   * have been done: by then another worker may have the name.
   */
  drainWorker(id: string, options: CallOptions = {}): Promise<WorkerInfo> {
    const path = `/v1/workers/${encodeURIComponent(id)}/drain`;
    return this.#post(path, { ...options, repeatable: false });
  }

  /** Hands out no more tasks of a type; what has begun goes on. */
  pause(type: string, options: CallOptions = {}): Promise<Queue> {
    return this.#post(`/v1/queues/${encodeURIComponent(type)}/pause`, options);
  }

  resume(type: string, options: CallOptions = {}): Promise<Queue> {
    return this.#post(`/v1/queues/${encodeURIComponent(type)}/resume`, options);
  }

  /** The tokens of the service; for one of scope `admin`, as the two after it. */
  tokens(options: CallOptions = {}): Promise<TokenList> {
    return this.#get('/v1/tokens', options);
  }

  /**
   * Makes a token. It is shown only in this answer, so the request is not repeated where it may have
   * been done: then the token has to be revoked by its name's id.
   */
  createToken(spec: TokenSpec, options: CallOptions = {}): Promise<TokenInfo & { token: string }> {
    return this.#post('/v1/tokens', { ...options, body: spec, repeatable: false });
  }

  /** UNKNOWN_TOKEN, also where a repeat finds it revoked; OWN_TOKEN for the one that is shown. */
  revokeToken(id: string, { signal }: CallOptions = {}): Promise<void> {
    const path = `/v1/tokens/${encodeURIComponent(id)}`;
    const asking = { method: 'DELETE', path, repeatable: false, signal } as const;
    return this.#requests.ask(asking, async () => undefined);
  }

  #get<T>(path: string, { signal, heldMs }: CallOptions & { heldMs?: number }): Promise<T> {
    return this.#requests.json({ method: 'GET', path, repeatable: true, heldMs, signal });
  }

  #post<T>(
    path: string,
    options: SubmitOptions & {
      body?: object;
      /** It is a submission. */
      key?: true;
      heldMs?: number;
      repeatable?: boolean;
    },
  ): Promise<T> {
    const { body, key, heldMs, repeatable = true, signal } = options;
    const { idempotencyKey = newIdempotencyKey() } = options;
    const headers = {
      ...(body && { 'content-type': 'application/json' }),
      ...(key && { 'idempotency-key': idempotencyKey }),
    };
    const text = body && JSON.stringify(body);
    return this.#requests.json({
      ...{ method: 'POST', path, headers, body: text, repeatable, heldMs, signal },
    });
  }
}

function taskPath(id: string): string {
  return `/v1/tasks/${encodeURIComponent(id)}`;
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isGood =
    url &&
    ['http:', 'https:'].includes(url.protocol) &&
    ![url.username, url.password, url.search, url.hash].some((part) => part !== '');
  if (isGood) return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  const cure = 'write http://HOST:PORT or https://HOST, and a token by itself';
  throw new ScriptdError('BAD_URL', `${JSON.stringify(text)} is no address of a service: ${cure}`);
}

function checkedNumber(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least && value < 2 ** 31 - 1_000_000) return value;
  throw new ScriptdError('BAD_OPTION', `\`${name}\` must be a whole number from ${least} on`);
}
