import { Backoff } from '../backoff.js';
import { ScriptdError } from '../errors.js';
import { eventsIn } from './event-stream.js';
import { clientLimits } from './limits.js';
import { linesOf } from './lines.js';
import { pause } from './pause.js';
import { againAfterMs, jsonOf, type Requests } from './requests.js';
import type { FinishedTask, Task, TaskState } from './task.js';

/** A task came into another state, or an attempt of it did. */
export interface StateChange extends Pick<Task, 'outcome' | 'code' | 'reason' | 'nextAttemptAt'> {
  id: string;
  state: TaskState;
  attempt: number;
  at: string;
}

/** What a script wrote, as bytes from `offset` on of the attempt's stream. */
export type Output = { attempt: number; offset: number } & ({ text: string } | { base64: string });

/** `cursor` is what `lastEventId` takes, to go on after it. */
export type TaskEvent = { cursor: string } & (
  | { event: 'state'; data: StateChange }
  | { event: 'stdout' | 'stderr'; data: Output }
  | { event: 'end'; data: FinishedTask }
);

export interface EventOptions {
  /** Go on after this one: the `cursor` of an event. */
  lastEventId?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Everything that happens to a task, up to its end. A connection that breaks is made again, where
 * it was.
 *
 * @throws ServiceError UNKNOWN_TASK and others
 * @throws ScriptdError SERVICE_UNREACHABLE, SERVICE_SILENT, BAD_ANSWER
 */
export async function* eventsOf(
  taskId: string,
  requests: Requests,
  { lastEventId, signal }: EventOptions,
): AsyncGenerator<TaskEvent> {
  const path = `/v1/tasks/${encodeURIComponent(taskId)}/events`;
  let cursor = lastEventId;
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
        ...(cursor !== undefined && { 'last-event-id': cursor }),
      };
      const asking = { method: 'GET', path, headers, repeatable: true } as const;
      const response = await requests.open({ ...asking, signal: connection.signal });
      // Its end was told before.
      if (response.status === 204) return;
      for await (const { id, event, data } of eventsIn(linesOf(response))) {
        failures = 0;
        backoff.reset();
        if (id !== undefined) cursor = id;
        yield { cursor: cursor ?? '', event, data: jsonOf(data) } as TaskEvent;
        if (event === 'end') return;
      }
      throw new ScriptdError('SERVICE_UNREACHABLE', 'the connection ended before the task did');
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
