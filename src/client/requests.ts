import { Backoff } from '../backoff.js';
import { ScriptdError } from '../errors.js';
import { clientLimits } from './limits.js';
import { pause } from './pause.js';
import { ServiceError, serviceErrorOf } from './problem.js';

export interface RequestsOptions {
  /** Without a slash at its end. */
  url: string;
  headers: Record<string, string>;
  timeoutMs: number;
  retries: number;
  fetch: Fetch;
  onRetry: OnRetry | undefined;
}

/** What the client uses of an answer. */
export interface Answer
  extends Pick<Response, 'ok' | 'status' | 'url' | 'body' | 'text' | 'arrayBuffer'> {
  headers: Pick<Headers, 'get'>;
}

/** What the client uses of `fetch`. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body?: string;
    signal: AbortSignal;
    redirect: 'error';
  },
) => Promise<Answer>;

/** Told of a failure that is asked again after, and of the wait until then in milliseconds. */
export type OnRetry = (error: ScriptdError, waitMs: number) => void;

export interface Asking {
  method: 'GET' | 'POST' | 'DELETE';
  /** With its query. */
  path: string;
  headers?: Record<string, string> | undefined;
  body?: string | undefined;
  /** It does no harm twice: it is sent again also when nobody knows whether it was done. */
  repeatable: boolean;
  /** So long the service was asked to hold its answer. */
  heldMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Answers of a proxy whose service is away; and of the service itself, where it says so. */
const passing = [429, 502, 503, 504];
/** What was asked for was done, or not. */
const uncertain = ['CONTROLLER_LOST', 'BAD_ANSWER', 'SERVICE_UNREACHABLE', 'SERVICE_SILENT'];

/** Requests to one service: each bounded in time, and sent again where that can help. */
export class Requests {
  readonly #options: RequestsOptions;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** How often in a row something may fail and be asked for again. */
  get retries(): number {
    return this.#options.retries;
  }

  /**
   * @param read takes the answer's body, in the time of the request
   * @throws ServiceError when the service refuses
   * @throws ScriptdError SERVICE_UNREACHABLE, SERVICE_SILENT, BAD_ANSWER
   * @throws the reason of the signal
   */
  async ask<T>(asking: Asking, read: (response: Answer) => Promise<T>): Promise<T> {
    const backoff = new Backoff(clientLimits.backoffMsMin, clientLimits.backoffMsMax);
    for (let failures = 1; ; failures++) {
      try {
        return await this.#once(asking, read);
      } catch (error) {
        asking.signal?.throwIfAborted();
        const waitMs = againAfterMs(error, asking.repeatable, backoff);
        if (waitMs === undefined || failures > this.retries) throw error;
        this.tell(error, waitMs);
        await pause(waitMs, asking.signal);
      }
    }
  }

  /** Tells whoever wants to know of a failure that is asked again after. */
  tell(error: unknown, waitMs: number): void {
    if (error instanceof ScriptdError) this.#options.onRetry?.(error, waitMs);
  }

  json<T>(asking: Asking): Promise<T> {
    return this.ask(asking, async (response) => jsonOf(await response.text()) as T);
  }

  /**
   * One answer whose body comes bit by bit, not asked for again. The time of the request ends with
   * the answer's head; its body ends with the signal.
   */
  async open(asking: Asking & { signal: AbortSignal }): Promise<Answer> {
    return this.#once(asking, async (response) => response, 'stream');
  }

  async #once<T>(
    asking: Asking,
    read: (response: Answer) => Promise<T>,
    kind: 'whole' | 'stream' = 'whole',
  ): Promise<T> {
    const { method, path, body, signal, heldMs = 0 } = asking;
    const { url, timeoutMs, fetch } = this.#options;
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    const silent = new ScriptdError(
      'SERVICE_SILENT',
      `${url} did not answer ${method} ${path} within ${timeoutMs + heldMs} ms`,
    );
    const timer = setTimeout(() => abort.abort(silent), timeoutMs + heldMs);
    let isStream = false;
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...this.#options.headers, ...asking.headers },
        signal: abort.signal,
        // A redirect would turn a POST into a GET.
        redirect: 'error',
        ...(body !== undefined && { body }),
      });
      if (!response.ok) throw await serviceErrorOf(response);
      isStream = kind === 'stream';
      return await read(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (abort.signal.aborted) throw silent;
      throw error instanceof TypeError ? unreachable(url, error) : error;
    } finally {
      clearTimeout(timer);
      if (!isStream) signal?.removeEventListener('abort', onAbort);
    }
  }
}

/** What `fetch` throws, and what reading its answer does, as an error of ours. */
export function unreachable(url: string, error: TypeError): ScriptdError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const { code } = cause as { code?: unknown };
  const why = [typeof code === 'string' ? code : '', cause.message].find((text) => text !== '');
  const text = `no scriptd answers at ${url}: ${why ?? error.message}`;
  return new ScriptdError('SERVICE_UNREACHABLE', text, { cause: error });
}

/** @throws ScriptdError BAD_ANSWER */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `the answer is no JSON, so it is none of scriptd: ${text.slice(0, 200)}`;
    throw new ScriptdError('BAD_ANSWER', message, { cause });
  }
}

/** Milliseconds until it is worth asking again; undefined when it is not. */
export function againAfterMs(
  error: unknown,
  repeatable: boolean,
  backoff: Backoff,
): number | undefined {
  if (!(error instanceof ScriptdError)) return undefined;
  if (uncertain.includes(error.code) && !repeatable) return undefined;
  if (!(error instanceof ServiceError)) {
    return error.code === 'BAD_ANSWER' ? undefined : backoff.takeMs();
  }
  if (!passing.includes(error.status)) return undefined;
  const { retryAfterMs = 0 } = error;
  if (retryAfterMs > clientLimits.retryAfterMsMax) return undefined;
  // All that were sent away are told the same time: they shall not all come at it.
  return retryAfterMs + backoff.takeMs();
}
