import { ScriptdError } from '../errors.js';
import type { AttemptRecord, TaskView } from '../task.js';
import { hasMoved, type TaskCursor } from '../task-cursor.js';
import type { MessageOf } from '../wire/messages.js';
import { controllerLimits } from './limits.js';
import { unknownTask } from './refusal.js';

/** What answers one who follows: the task, when its state has moved, or what it has put out. */
export type Progress = Omit<MessageOf<'progress'>, 'kind' | 'requestId'>;

export interface FollowersOptions {
  /** Without bulk; what is durable. Undefined: no such task (any more). */
  read(taskId: string): Promise<TaskView | undefined>;
  /** The attempt that a worker has of it, if one has. */
  flying(taskId: string): AttemptRecord | undefined;
  /** To a worker's receiver. One that is away takes nothing. */
  send(workerId: string, message: MessageOf<'follow' | 'unfollow'>): void;
}

/** One who waits to be told what comes of a task after a cursor. */
export interface Follower {
  readonly taskId: string;
  readonly cursor: TaskCursor;
  /** One of the two is called, once, unless it is taken back before; never within `add`. */
  answer(progress: Progress): void;
  refuse(error: unknown): void;
}

interface Following {
  readonly follower: Follower;
  readonly followId: number;
  /** Where the attempt runs whose output was asked for. */
  worker: string | undefined;
  isReading: boolean;
  /** Something changed while it was read. */
  isStale: boolean;
}

/**
 * All who follow a task. Each is answered once and then has to ask again, with a new cursor; so
 * nothing is kept for those who are slow, and nobody is sent anything who did not ask:
 *
 *     add ─▶ the cursor's attempt runs ─▶ its worker is asked (`follow`) ─ output ─▶ answered
 *        └─▶ else the task is read ─ moved past the cursor ─▶ answered
 *                  ▲                 └ not ─▶ waits ─ changed ─┐
 *                  └──────────────────────────────────────────┘
 */
export class Followers {
  readonly #options: FollowersOptions;
  readonly #byTask = new Map<string, Set<Following>>();
  readonly #byId = new Map<number, Following>();
  #lastId = 0;

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Returns what takes it back; once it is answered that does nothing. It is refused with
   * UNKNOWN_TASK, or what the store throws.
   *
   * @throws ScriptdError TOO_MANY_STREAMS
   */
  add(follower: Follower): () => void {
    const { taskId } = follower;
    const others = this.#byTask.get(taskId) ?? new Set();
    const { followersMax, followersPerTaskMax } = controllerLimits;
    if (this.size >= followersMax || others.size >= followersPerTaskMax) {
      const text = `${others.size} follow this task already, and ${this.size} any: try later`;
      throw new ScriptdError('TOO_MANY_STREAMS', text);
    }
    const followId = ++this.#lastId;
    const state = { worker: undefined, isReading: false, isStale: false };
    const following: Following = { follower, followId, ...state };
    this.#byTask.set(taskId, others.add(following));
    this.#byId.set(followId, following);
    this.#look(following);
    return () => this.#end(following);
  }

  /** What is stored of the task has changed. */
  changed(taskId: string): void {
    const followings = this.#byTask.get(taskId);
    if (followings) for (const following of [...followings]) this.#look(following);
  }

  /** From a worker. One that crossed an `unfollow`, or that it was not asked for, is for nobody. */
  output(workerId: string, { followId, stdout, stderr }: MessageOf<'output'>): void {
    const following = this.#byId.get(followId);
    if (following?.worker !== workerId) return;
    following.worker = undefined;
    this.#end(following);
    following.follower.answer({ output: { stdout, stderr } });
  }

  /** The worker is back, or is another of that name: it knows of nobody who follows. */
  connected(workerId: string): void {
    for (const following of [...this.#byId.values()]) {
      if (following.worker !== workerId) continue;
      following.worker = undefined;
      this.#look(following);
    }
  }

  #look(following: Following): void {
    const { taskId, cursor } = following.follower;
    const attempt = this.#options.flying(taskId);
    if (cursor.state === 'running' && attempt?.attempt === cursor.attempt) {
      this.#follow(following, attempt.worker);
    } else {
      this.#read(following);
    }
  }

  #follow(following: Following, workerId: string): void {
    if (following.worker === workerId) return;
    this.#unfollow(following);
    following.worker = workerId;
    const { followId, follower } = following;
    const { taskId, cursor } = follower;
    const { attempt, stdoutOffset, stderrOffset } = cursor;
    const offsets = { stdoutOffset, stderrOffset };
    this.#options.send(workerId, { kind: 'follow', followId, taskId, attempt, ...offsets });
  }

  #unfollow(following: Following): void {
    const { worker, followId } = following;
    following.worker = undefined;
    if (worker !== undefined) this.#options.send(worker, { kind: 'unfollow', followId });
  }

  #read(following: Following): void {
    if (following.isReading) {
      following.isStale = true;
      return;
    }
    following.isReading = true;
    this.#options.read(following.follower.taskId).then(
      (task) => this.#seen(following, task),
      (error: unknown) => {
        if (this.#end(following)) following.follower.refuse(error);
      },
    );
  }

  #seen(following: Following, task: TaskView | undefined): void {
    const { isStale, follower } = following;
    following.isReading = false;
    following.isStale = false;
    if (!this.#byId.has(following.followId)) return;
    if (task && !hasMoved(task, follower.cursor)) {
      if (isStale) this.#look(following);
      return;
    }
    this.#end(following);
    if (task) follower.answer({ task });
    else follower.refuse(unknownTask(follower.taskId));
  }

  /** False when it had ended before. */
  #end(following: Following): boolean {
    const { followId, follower } = following;
    if (!this.#byId.delete(followId)) return false;
    const { taskId } = follower;
    const others = this.#byTask.get(taskId);
    others?.delete(following);
    if (others?.size === 0) this.#byTask.delete(taskId);
    this.#unfollow(following);
    return true;
  }
}
