import { eventsOf } from './event-text.js';
import { ask } from './http.js';
import { ApiError, sentenceOf } from './problem.js';

export interface StreamHandlers {
  /** @param data what its JSON says */
  onEvent(name: string, data: unknown): void;
  /** Of the connection: '' is well, anything else a sentence that says what is wrong. */
  onFault?(fault: string): void;
  /** There is nothing more to come; after a fault, since asking again would not change it. */
  onEnd?(): void;
}

/** Between two attempts to connect: doubles from the first to the second. Milliseconds. */
const retryMs = { min: 500, max: 15_000 };

/**
 * Follows an event stream of the service, connecting again after its last event as often as need be.
 * An `EventSource` would do so as well, but can't show who asks. While nobody sees the page there is
 * no connection: browsers allow six for all pages of one service together.
 *
 * Source: WHATWG HTML, 9.2 Server-sent events
 *
 * @returns ends it
 */
export function follow(path: string, handlers: StreamHandlers): () => void {
  const ending = new AbortController();
  void connectAgain(path, handlers, ending.signal);
  return () => ending.abort();
}

async function connectAgain(
  path: string,
  { onEvent, onFault, onEnd }: StreamHandlers,
  signal: AbortSignal,
): Promise<void> {
  let lastEventId = '';
  let waitMs = retryMs.min;
  while (!signal.aborted) {
    await seen(signal);
    const connection = whileSeen(signal);
    try {
      const headers = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
      const response = await ask(path, { headers, signal: connection });
      if (response.status === 204 || !response.body) {
        onEnd?.();
        return;
      }
      onFault?.('');
      for await (const { id, event, data } of eventsOf(response.body)) {
        if (signal.aborted) return;
        waitMs = retryMs.min;
        if (id !== undefined) lastEventId = id;
        onEvent(event, JSON.parse(data));
      }
    } catch (error) {
      if (signal.aborted) return;
      if (connection.aborted) continue;
      onFault?.(sentenceOf(error));
      if (isFinal(error)) {
        onEnd?.();
        return;
      }
    }
    await pause(waitMs, signal);
    waitMs = Math.min(waitMs * 2, retryMs.max);
  }
}

/** What asking again would not change. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** Resolves once the page is seen. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', look);
      signal.removeEventListener('abort', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
    signal.addEventListener('abort', look);
    look();
  });
}

/** Aborted with the other, or once the page is not seen any more. */
function whileSeen(signal: AbortSignal): AbortSignal {
  const hidden = new AbortController();
  const look = () => {
    if (!document.hidden && !signal.aborted) return;
    document.removeEventListener('visibilitychange', look);
    hidden.abort();
  };
  document.addEventListener('visibilitychange', look);
  signal.addEventListener('abort', look, { once: true });
  return hidden.signal;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
