import { isUtf8 } from 'node:buffer';
import { errorCode } from '../errors.js';
import { invariant } from '../invariant.js';
import type { Log } from '../log.js';
import type { TaskView } from '../task.js';
import { comparePlaces, type TaskCursor } from '../task-cursor.js';
import { wholeCharacters } from '../utf8.js';
import type { Asked, ControllerPort, Progress } from './controller-port.js';
import { breakingOff } from './event-fault.js';
import { eventId } from './event-id.js';
import { httpLimits } from './limits.js';
import { taskHistory } from './task-history.js';
import { taskJson } from './task-json.js';

const streams = ['stdout', 'stderr'] as const;
type Outputs = Partial<Record<(typeof streams)[number], Uint8Array>>;

/** What the stream asks of the controller. */
export type TaskSource = Pick<ControllerPort, 'get' | 'follow'>;

/**
 * The events of one task for one client, as the text of an event stream. It is pulled: the next thing
 * is asked of the controller when the client has taken what there was, and what a client that is
 * behind has missed comes later, from the script's captured output or from the stored result.
 *
 *     task ─▶ states after the cursor ─▶ follow ─┬─ output ───────────▶ follow …
 *                                         ▲      └─ it has moved ─▶ task …
 *                                         └─ a comment, when nothing comes for keepAliveMs
 *     finished task ─▶ states, rest of the stored outputs, `finished`, `end`
 *
 * Source: WHATWG HTML, 9.2 Server-sent events
 */
export class TaskEvents {
  readonly #source: TaskSource;
  readonly #task: TaskView;
  readonly #log: Log;
  /** Of the event that was last given out. */
  #cursor: TaskCursor;
  #asked: Asked<Progress> | undefined;
  #isStopped = false;

  /** @param task as it stands, its outputs included if it is finished */
  constructor(source: TaskSource, task: TaskView, cursor: TaskCursor, log: Log) {
    this.#source = source;
    this.#log = log;
    this.#task = task;
    this.#cursor = cursor;
  }

  /** Ends the text soon, where it is. */
  stop(): void {
    this.#isStopped = true;
    this.#asked?.forget();
  }

  /** @param holding called with the bytes of a finished task's outputs, which are then kept here */
  async *text(holding: (bytes: number) => void): AsyncGenerator<string> {
    yield `retry: ${httpLimits.eventRetryMs}\n\n`;
    try {
      yield* this.#events(holding);
    } catch (error) {
      if (this.#isStopped) return;
      yield breakingOff(error, this.#log);
    }
  }

  async *#events(holding: (bytes: number) => void): AsyncGenerator<string> {
    let task: TaskView | undefined = this.#task;
    while (!this.#isStopped) {
      if (task) yield* this.#states(task);
      if (task?.state === 'finished') {
        holding((task.stdout?.length ?? 0) + (task.stderr?.length ?? 0));
        yield* this.#ending(task);
        return;
      }
      const progress: Progress = yield* this.#next();
      if (progress.output) yield* this.#output(progress.output);
      task = progress.task;
    }
  }

  /** What comes after the cursor, a finished task with its outputs; or nothing, to ask again. */
  async *#next(): AsyncGenerator<string, Progress> {
    const { id } = this.#task;
    const asked = this.#source.follow(id, this.#cursor);
    this.#asked = asked;
    if (this.#isStopped) asked.forget();
    try {
      const progress = await within(asked.answer, httpLimits.keepEventsAliveMs);
      if (progress) {
        const isFinished = progress.task?.state === 'finished';
        return isFinished ? { task: await this.#source.get(id) } : progress;
      }
      yield ':\n\n';
      // Asked again: the source may refuse by now who may not know of it any more.
      return {};
    } catch (error) {
      // It is being restarted: it may take as long as it wants, and the client as well.
      if (errorCode(error) !== 'CONTROLLER_UNAVAILABLE') throw error;
      yield ':\n\n';
      return {};
    } finally {
      asked.forget();
      this.#asked = undefined;
    }
  }

  /** Up to the end, which comes after the outputs. */
  *#states(task: TaskView): Generator<string> {
    for (const { state, attempt, json } of taskHistory(task)) {
      if (state === 'finished' || comparePlaces({ attempt, state }, this.#cursor) <= 0) continue;
      yield this.#event('state', { attempt, state, stdoutOffset: 0, stderrOffset: 0 }, json);
    }
    const isTold = task.state === 'finished' || comparePlaces(task, this.#cursor) <= 0;
    invariant(isTold, 'the history of a task ends with its state');
  }

  *#ending(task: TaskView): Generator<string> {
    const place = { attempt: task.attempt, stdoutOffset: 0, stderrOffset: 0 };
    if (this.#cursor.state === 'running') {
      const { stdoutOffset, stderrOffset } = this.#cursor;
      const stdout = task.stdout?.subarray(stdoutOffset);
      const stderr = task.stderr?.subarray(stderrOffset);
      yield* this.#output({ ...(stdout && { stdout }), ...(stderr && { stderr }) });
    }
    if (comparePlaces(this.#cursor, { ...place, state: 'finished' }) < 0) {
      const last = taskHistory(task).at(-1)?.json ?? {};
      yield this.#event('state', { ...place, state: 'finished' }, last);
    }
    const { stdout: _, stderr: __, files: ___, ...rest } = task;
    yield this.#event('end', { ...place, state: 'end' }, taskJson(rest));
  }

  /** What follows the cursor's offsets. */
  *#output(outputs: Outputs): Generator<string> {
    for (const stream of streams) {
      for (const part of partsOf(outputs[stream] ?? new Uint8Array())) {
        const name = `${stream}Offset` as const;
        const offset = this.#cursor[name];
        const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
        const content = isUtf8(bytes)
          ? { text: bytes.toString('utf8') }
          : { base64: bytes.toString('base64') };
        const { attempt } = this.#cursor;
        const cursor = { ...this.#cursor, [name]: offset + part.length };
        yield this.#event(stream, cursor, { attempt, offset, ...content });
      }
    }
  }

  #event(name: string, cursor: TaskCursor, data: Record<string, unknown>): string {
    this.#cursor = cursor;
    return `id: ${eventId(cursor)}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}

/** In pieces that end with whole characters where that can be. */
function* partsOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < bytes.length; ) {
    const part = bytes.subarray(from, from + httpLimits.eventBytesMax);
    const isLast = from + part.length === bytes.length;
    const length = isLast ? part.length : wholeCharacters(part) || part.length;
    yield part.subarray(0, length);
    from += length;
  }
}

/** The answer, or undefined when it takes longer. */
async function within<T>(answer: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
