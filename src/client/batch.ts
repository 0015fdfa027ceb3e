import { Backoff } from '../backoff.js';
import { ScriptdError } from '../errors.js';
import { chunksOf } from './chunks.js';
import { newIdempotencyKey } from './idempotency-key.js';
import { clientLimits } from './limits.js';
import { linesOf } from './lines.js';
import { pause } from './pause.js';
import { type Problem, ServiceError } from './problem.js';
import { againAfterMs, jsonOf, type Requests } from './requests.js';
import type { Task, TaskSpec } from './task.js';
import { together } from './together.js';

/** A submission of a batch. Without a key it gets one, so that it runs once whatever is lost. */
export type BatchTask = TaskSpec & { idempotencyKey?: string };

/** What became of the task of this number, from 1. */
export type BatchLine = { line: number } & (
  | {
      /** 201: stored; 200: finished, or the task of an earlier use of its key; 202: time is up. */
      status: 200 | 201 | 202;
      task: Task;
    }
  | { status: number; error: Problem }
);

export interface BatchOptions {
  /** Tell of each task again when it has finished; of those that have not by then, with 202. */
  waitSeconds?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A line that is not settled yet, with its text. */
interface Line {
  line: number;
  text: string;
  isTold: boolean;
  /** Why it was refused the last time. */
  refusal?: ServiceError;
}

/**
 * Submits many tasks, and tells of each. It takes no more of them than it can send, and sends again
 * what was lost or came at a bad time.
 *
 * @throws ServiceError when the service refuses the batch as a whole
 * @throws ScriptdError SERVICE_UNREACHABLE, SERVICE_SILENT, BAD_ANSWER
 */
export async function* batchOf(
  tasks: Iterable<BatchTask> | AsyncIterable<BatchTask>,
  requests: Requests,
  { waitSeconds = 0, signal }: BatchOptions,
): AsyncGenerator<BatchLine> {
  const abort = new AbortController();
  const onAbort = () => abort.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', onAbort, { once: true });
  const endsAtMs = Date.now() + waitSeconds * 1_000;
  const { batchTasks: items, batchChars: size, batchLingerMs: lingerMs } = clientLimits;
  async function* parts() {
    const lines = numbered(tasks);
    for await (const chunk of chunksOf(lines, { items, size, lingerMs }, ({ text }) => text.length))
      yield settled(chunk, requests, endsAtMs, abort.signal);
  }
  try {
    // One after the other where nobody waits for results: so lines come in order.
    yield* together(parts(), waitSeconds > 0 ? clientLimits.batchRequests : 1);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    abort.abort();
  }
}

async function* numbered(
  tasks: Iterable<BatchTask> | AsyncIterable<BatchTask>,
): AsyncGenerator<Line> {
  let line = 0;
  for await (const task of tasks) {
    const text = JSON.stringify({ idempotencyKey: newIdempotencyKey(), ...task });
    yield { line: ++line, text, isTold: false };
  }
}

/** Asks until each line has its final answer. */
async function* settled(
  chunk: Line[],
  requests: Requests,
  endsAtMs: number,
  signal: AbortSignal,
): AsyncGenerator<BatchLine> {
  const backoff = new Backoff(clientLimits.backoffMsMin, clientLimits.backoffMsMax);
  const left = new Set(chunk);
  let failures = 0;
  while (left.size > 0) {
    const before = left.size;
    let waitMs: number | undefined = 0;
    try {
      for await (const answer of answersTo([...left], requests, endsAtMs, signal)) {
        if (answer.isFinal) left.delete(answer.line);
        if (answer.told) yield answer.told;
      }
      waitMs = waitAfter([...left], requests, backoff);
    } catch (error) {
      signal.throwIfAborted();
      waitMs = againAfterMs(error, true, backoff);
      if (waitMs === undefined || failures >= requests.retries) throw error;
      requests.tell(error, waitMs);
    }
    if (left.size === 0) return;
    const waits = [...left].every(({ isTold, refusal }) => isTold && !refusal);
    failures = left.size < before || (waits && waitMs === 0) ? 0 : failures + 1;
    if (failures > requests.retries) {
      for (const { line, refusal } of left) {
        if (!refusal) throw new ScriptdError('BAD_ANSWER', `line ${line} was never answered`);
        yield { line, status: refusal.status, error: refusal.problem };
      }
      return;
    }
    await pause(waitMs, signal);
  }
}

/** Milliseconds until those that were refused are sent again: as long as each of them was told. */
function waitAfter(left: readonly Line[], requests: Requests, backoff: Backoff): number {
  const refusals = left.flatMap(({ refusal }) => (refusal ? [refusal] : []));
  if (refusals.length === 0) return 0;
  const waitMs = backoff.takeMs() + Math.max(...refusals.map((told) => told.retryAfterMs ?? 0));
  for (const refusal of refusals) requests.tell(refusal, waitMs);
  return waitMs;
}

interface LineAnswer {
  line: Line;
  told?: BatchLine;
  isFinal: boolean;
}

/** One request with these lines. */
async function* answersTo(
  lines: Line[],
  requests: Requests,
  endsAtMs: number,
  signal: AbortSignal,
): AsyncGenerator<LineAnswer> {
  const leftSeconds = Math.ceil((endsAtMs - Date.now()) / 1_000);
  const wait = Math.max(0, Math.min(clientLimits.batchWaitSeconds, leftSeconds));
  const response = await requests.open({
    method: 'POST',
    path: `/v1/tasks/batch${wait > 0 ? `?wait=${wait}` : ''}`,
    headers: { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' },
    body: lines.map(({ text }) => `${text}\n`).join(''),
    repeatable: true,
    heldMs: wait * 1_000,
    signal,
  });
  for (const line of lines) delete line.refusal;
  for await (const text of linesOf(response, clientLimits.silenceMsMax + wait * 1_000)) {
    const answer = jsonOf(text) as BatchLine;
    const line = lines[answer.line - 1];
    if (!line) {
      // What ended the request, rather than one of its lines.
      if ('error' in answer) throw new ServiceError({ ...answer.error, status: answer.status });
      throw new ScriptdError('BAD_ANSWER', `there is no line ${answer.line}`);
    }
    yield answerTo(line, answer, wait, endsAtMs);
  }
}

function answerTo(line: Line, answer: BatchLine, wait: number, endsAtMs: number): LineAnswer {
  const told = { ...answer, line: line.line };
  if ('error' in answer) {
    const { retryAfterSeconds } = answer.error;
    const error = new ServiceError(
      { ...answer.error, status: answer.status },
      typeof retryAfterSeconds === 'number' ? retryAfterSeconds * 1_000 : undefined,
    );
    const comesAgain = againAfterMs(error, true, new Backoff(1, 1)) !== undefined;
    if (!comesAgain) return { line, told, isFinal: true };
    line.refusal = error;
    return { line, isFinal: false };
  }
  if (wait === 0 || answer.task.state === 'finished') return { line, told, isFinal: true };
  if (answer.status === 202) {
    const isOver = Date.now() >= endsAtMs;
    return isOver ? { line, told, isFinal: true } : { line, isFinal: false };
  }
  // It is stored; its end is told in another line, perhaps of another request.
  if (line.isTold) return { line, isFinal: false };
  line.isTold = true;
  return { line, told, isFinal: false };
}
