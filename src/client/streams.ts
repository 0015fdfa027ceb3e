import { Backoff } from '../backoff.js';
import { ScriptdError } from '../errors.js';
import { eventsIn } from './event-stream.js';
import { clientLimits } from './limits.js';
import { linesOf } from './lines.js';
import { pause } from './pause.js';
import { againAfterMs, jsonOf, type Requests } from './requests.js';

/** An event as it came. `id`: of the last event that had one. */
export interface StreamEvent {
  id: string | undefined;
  event: string;
  data: unknown;
}

export interface StreamOptions {
  path: string;
  /** Go on after this one. */
  lastEventId?: string | undefined;
  /** No further event comes after it; else the stream never ends by itself. */
  isLast(event: string): boolean;
  signal?: AbortSignal | undefined;
}

/**
 * The events of a stream. A connection that breaks is made again, where it was, as often in a row as
 * a request is asked again.
 *
 * @throws ServiceError
 * @throws ScriptdError SERVICE_UNREACHABLE, SERVICE_SILENT, BAD_ANSWER
 */
export async function* streamOf(
  requests: Requests,
  { path, lastEventId, isLast, signal }: StreamOptions,
): AsyncGenerator<StreamEvent> {
  let id = lastEventId;
  let failures = 0;
  const backoff = new Backoff(clientLimits.backoffMsMin, clientLimits.backoffMsMax);
  for (;;) {
    const connection = new AbortController();
    const onAbort = () => connection.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const headers = {
        accept: 'text/event-stream',
        ...(id !== undefined && { 'last-event-id': id }),
      };
      const asking = { method: 'GET', path, headers, repeatable: true } as const;
      const response = await requests.open({ ...asking, signal: connection.signal });
      // Its end was told before.
      if (response.status === 204) return;
      for await (const one of eventsIn(linesOf(response))) {
        failures = 0;
        backoff.reset();
        id = one.id ?? id;
        yield { id, event: one.event, data: jsonOf(one.data) };
        if (isLast(one.event)) return;
      }
      throw new ScriptdError('SERVICE_UNREACHABLE', 'the connection ended before the events did');
    } catch (error) {
      signal?.throwIfAborted();
      const waitMs = againAfterMs(error, true, backoff);
      if (waitMs === undefined || ++failures > requests.retries) throw error;
      requests.tell(error, waitMs);
      await pause(waitMs, signal);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      connection.abort();
    }
  }
}
