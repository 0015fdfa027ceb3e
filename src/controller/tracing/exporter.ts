import { setTimeout as sleep } from 'node:timers/promises';
import { Backoff } from '../../backoff.js';
import { errorMessage, ScriptdError } from '../../errors.js';
import type { Log } from '../../log.js';
import { tracingLimits } from './limits.js';
import { encodeTraces } from './otlp.js';
import type { Span } from './spans.js';

export interface ExporterOptions {
  /** Base URL of a collector, e.g. `http://127.0.0.1:4318`; `/v1/traces` is added. */
  endpoint: string;
  log: Log;
}

/** Answers after which the same batch may be taken later (OTLP/HTTP, "Failures"). */
const passing: readonly number[] = [429, 502, 503, 504];

/**
 * Sends spans to a collector by OTLP/HTTP: in batches, one after the other, never faster than it
 * answers. Nobody waits for it: what has no room in its queue is dropped and counted.
 */
export class Exporter {
  readonly #url: URL;
  readonly #log: Log;
  readonly #backoff = new Backoff(tracingLimits.retryMsMin, tracingLimits.retryMsMax);
  readonly #ending = new AbortController();
  readonly #queue: Span[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isFailing = false;
  #closed = false;
  /** Spans that a collector took, and that none got. */
  exported = 0;
  dropped = 0;

  /** @throws ScriptdError BAD_CONFIG when the endpoint is no http or https URL. */
  constructor({ endpoint, log }: ExporterOptions) {
    this.#url = tracesUrl(endpoint);
    this.#log = log;
  }

  add(spans: readonly Span[]): void {
    if (this.#closed || this.#queue.length + spans.length > tracingLimits.queuedSpansMax) {
      this.dropped += spans.length;
      return;
    }
    this.#queue.push(...spans);
    if (this.#queue.length >= tracingLimits.batchSpansMax) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), tracingLimits.batchMs);
  }

  /** Sends what is left, for at most `farewellMs`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const patience = setTimeout(() => this.#ending.abort(), tracingLimits.farewellMs);
    this.#begin();
    await this.#running;
    clearTimeout(patience);
    clearTimeout(this.#timer);
  }

  #begin(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // Only then does it begin with a wait, as it must: what it sets at its end comes after this.
    if (this.#queue.length > 0) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, tracingLimits.batchSpansMax);
      if (await this.#sendPatiently(batch)) this.exported += batch.length;
      else this.dropped += batch.length;
    }
    this.#running = undefined;
  }

  /** True once it is taken; false when it is given up. */
  async #sendPatiently(batch: readonly Span[]): Promise<boolean> {
    const body = encodeTraces(batch);
    this.#backoff.reset();
    for (let tries = 1; ; tries++) {
      const fault = await this.#send(body);
      this.#tell(fault);
      if (fault === undefined) return true;
      if (!fault.mayPass || tries === tracingLimits.triesMax || this.#closed) return false;
      await this.#wait(this.#backoff.takeMs());
    }
  }

  async #send(body: string): Promise<{ reason: string; mayPass: boolean } | undefined> {
    const cut = new AbortController();
    const cutOff = () => cut.abort(new Error(`no answer within ${tracingLimits.answerMs} ms`));
    // Not AbortSignal.any of a timeout: Node 20 may collect that before its time has come.
    const timer = setTimeout(cutOff, tracingLimits.answerMs);
    // At the end of the farewell nothing more is tried.
    if (this.#ending.signal.aborted) cutOff();
    else this.#ending.signal.addEventListener('abort', cutOff);
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'error',
        signal: cut.signal,
      });
      // What it says does not matter, and may have any length.
      await response.body?.cancel();
      if (response.ok) return undefined;
      const reason = `it answered ${response.status}`;
      return { reason, mayPass: passing.includes(response.status) };
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      return { reason: errorMessage(cause), mayPass: true };
    } finally {
      clearTimeout(timer);
      this.#ending.signal.removeEventListener('abort', cutOff);
    }
  }

  /** Cut short by `close`. */
  async #wait(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { signal: this.#ending.signal });
    } catch (error) {
      if (!this.#ending.signal.aborted) throw error;
    }
  }

  /** A collector that fails again and again is told of once. */
  #tell(fault: { reason: string } | undefined): void {
    const wasFailing = this.#isFailing;
    this.#isFailing = fault !== undefined;
    if (fault && !wasFailing) {
      this.#log.warn(
        `spans do not reach ${this.#url.origin}: ${fault.reason}; tasks go on without`,
      );
    } else if (!fault && wasFailing) {
      this.#log.info(`spans reach ${this.#url.origin} again`);
    }
  }
}

function tracesUrl(endpoint: string): URL {
  const base = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!base || !['http:', 'https:'].includes(base.protocol) || base.username || base.password) {
    const message = 'otlpEndpoint must be a URL such as http://127.0.0.1:4318, without a password';
    throw new ScriptdError('BAD_CONFIG', message);
  }
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/v1/traces`;
  return base;
}
