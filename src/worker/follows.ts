import { limits } from '../limits.js';
import type { Result } from '../task.js';
import { wholeCharacters } from '../utf8.js';
import type { MessageOf } from '../wire/messages.js';
import { workerLimits } from './limits.js';
import { attemptKey } from './queue.js';

export type OutputStream = 'stdout' | 'stderr';
type Outputs = Pick<Result, OutputStream>;
type Follow = MessageOf<'follow'>;

const nothing = new Uint8Array();

export interface FollowsOptions {
  /** What is kept of the beginning of both outputs so far; undefined while the attempt does not run. */
  outputsOf(key: string): Outputs | undefined;
  /** False when the controller is behind: nothing was sent. */
  send(message: MessageOf<'output'>): boolean;
}

/**
 * Who wants to see what attempts put out while they run. A follow is spent by the one message that
 * answers it, so no more is under way than was asked for; what comes meanwhile stays in the capture.
 * Small outputs wait a moment for more:
 *
 *     follow, or the script writes ─▶ a full message? ─ yes ─▶ sent at once
 *                                          └─ no ─▶ due ─ coalesceMs ─▶ sent
 *
 * A follow of an attempt that is not here waits: it may have overtaken its `execute`.
 */
export class Follows {
  readonly #options: FollowsOptions;
  readonly #byAttempt = new Map<string, Map<number, Follow>>();
  readonly #keys = new Map<number, string>();
  readonly #due = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FollowsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#keys.size;
  }

  /** False when there are too many: its result will tell all the same. */
  add(follow: Follow): boolean {
    const { followId } = follow;
    this.remove(followId);
    if (this.#keys.size >= workerLimits.followsMax) return false;
    const key = attemptKey(follow);
    this.#keys.set(followId, key);
    const follows = this.#byAttempt.get(key);
    if (follows) follows.set(followId, follow);
    else this.#byAttempt.set(key, new Map([[followId, follow]]));
    this.wrote(key);
    return true;
  }

  /** One that is spent is passed over. */
  remove(followId: number): void {
    const key = this.#keys.get(followId);
    if (key === undefined) return;
    this.#keys.delete(followId);
    const follows = this.#byAttempt.get(key);
    follows?.delete(followId);
    if (follows?.size === 0) this.#byAttempt.delete(key);
  }

  /** The attempt has put something out. Does next to nothing while nobody follows it. */
  wrote(key: string): void {
    const follows = this.#byAttempt.get(key);
    const outputs = follows && this.#options.outputsOf(key);
    if (!outputs) return;
    for (const follow of [...follows.values()]) {
      const parts = partsFor(follow, outputs);
      const most = Math.max(parts.stdout.length, parts.stderr.length);
      // Without a character that may be cut off at its end.
      if (most > limits.liveBytesMax - 4) this.#answer(follow, parts);
      else if (most > 0) this.#wait(key);
    }
  }

  /** The attempt is over: the last of what it put out goes before its result. */
  ended(key: string, result: Outputs): void {
    for (const follow of [...(this.#byAttempt.get(key)?.values() ?? [])]) {
      this.#answerIfAny(follow, result);
      this.remove(follow.followId);
    }
    this.#due.delete(key);
  }

  /** The controller that asked is gone. */
  clear(): void {
    this.#byAttempt.clear();
    this.#keys.clear();
    this.#due.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(key: string): void {
    this.#due.add(key);
    this.#timer ??= setTimeout(() => this.#flush(), workerLimits.coalesceMs);
  }

  #flush(): void {
    this.#timer = undefined;
    const due = [...this.#due];
    this.#due.clear();
    for (const key of due) {
      const outputs = this.#options.outputsOf(key);
      const follows = this.#byAttempt.get(key);
      if (!outputs || !follows) continue;
      for (const follow of [...follows.values()]) this.#answerIfAny(follow, outputs);
    }
  }

  #answerIfAny(follow: Follow, outputs: Outputs): void {
    const parts = partsFor(follow, outputs);
    if (parts.stdout.length + parts.stderr.length > 0) this.#answer(follow, parts);
  }

  #answer(follow: Follow, parts: Outputs): void {
    const { followId } = follow;
    if (this.#options.send({ kind: 'output', followId, ...parts })) this.remove(followId);
    else this.#wait(attemptKey(follow));
  }
}

function partsFor({ stdoutOffset, stderrOffset }: Follow, outputs: Outputs): Outputs {
  return {
    stdout: partOf(outputs.stdout, stdoutOffset),
    stderr: partOf(outputs.stderr, stderrOffset),
  };
}

/** A character that has not come whole waits for the rest of it. */
function partOf(bytes: Uint8Array, offset: number): Uint8Array {
  if (offset >= bytes.length) return nothing;
  const part = bytes.subarray(offset, offset + limits.liveBytesMax);
  return part.subarray(0, wholeCharacters(part));
}
