import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { bytesOf, type FinishedTask, type Output, type Scriptd } from '../client/index.js';
import { ScriptdError } from '../errors.js';

/** Where what a task writes goes. */
export interface Sinks {
  stdout(bytes: Uint8Array): Promise<void>;
  stderr(bytes: Uint8Array): Promise<void>;
  /** A sentence about the task, for people. */
  notice(text: string): void;
}

/**
 * Passes on what a task writes while it runs, in its order within each stream, and from its beginning.
 *
 * @returns the task once it is finished, without its outputs
 */
export async function follow(
  client: Scriptd,
  taskId: string,
  sinks: Sinks,
  signal?: AbortSignal,
): Promise<FinishedTask> {
  let attempt = 1;
  for await (const { event, data } of client.events(taskId, { signal })) {
    if (event === 'end') return data;
    if (data.attempt > attempt) {
      attempt = data.attempt;
      sinks.notice(`attempt ${attempt} begins: what came before it was of another`);
    }
    if (event === 'stdout' || event === 'stderr') await sinks[event](outputBytes(data));
  }
  throw new ScriptdError('BAD_ANSWER', 'the events of the task had no end');
}

function outputBytes(output: Output): Uint8Array {
  return 'text' in output ? bytesOf(output.text) : bytesOf(output.base64, 'base64');
}

/** Writes, and waits while nobody reads. */
export async function writeAll(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, 'drain');
}
