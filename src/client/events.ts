import type { Requests } from './requests.js';
import { streamOf } from './streams.js';
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
  const isLast = (event: string) => event === 'end';
  for await (const { id, event, data } of streamOf(requests, {
    ...{ path, lastEventId, isLast, signal },
  })) {
    yield { cursor: id ?? '', event, data } as TaskEvent;
  }
}
