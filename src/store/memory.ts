import { invariant } from '../invariant.js';
import { type AttemptRecord, bulkOf, type TaskSpec, type TaskView } from '../task.js';
import { memoryStoreLimits } from './limits.js';
import type { Claim, Completion, Requeue, Submission, TaskStore } from './port.js';

interface Kept {
  view: TaskView;
  /** Dropped when the task is finished: nobody runs it again. */
  spec: TaskSpec | undefined;
}

/** Tasks in this process's memory: gone with it. Finished ones are kept within limits. */
export class MemoryStore implements TaskStore {
  readonly durability = 'memory';
  readonly #tasks = new Map<string, Kept>();
  /** Bytes of each finished task, oldest first. */
  readonly #finished = new Map<string, number>();
  #finishedBytes = 0;

  async submit(submissions: readonly Submission[]): Promise<void> {
    for (const { view, spec } of submissions) {
      invariant(!this.#tasks.has(view.id), `task ${view.id} was stored twice`);
      this.#tasks.set(view.id, { view, spec });
    }
  }

  async claim(claims: readonly Claim[]): Promise<void> {
    for (const { taskId, attempt } of claims) {
      this.#update(taskId, (view) => ({
        ...view,
        state: 'running',
        attempt: attempt.attempt,
        attempts: [...view.attempts, attempt],
        startedAt: attempt.startedAt,
        worker: attempt.worker,
      }));
    }
  }

  async requeue(requeues: readonly Requeue[]): Promise<void> {
    for (const { taskId, attempt } of requeues) {
      this.#update(taskId, (view) => ({
        ...view,
        state: 'pending',
        attempts: withEnded(view.attempts, attempt),
      }));
    }
  }

  async complete(completions: readonly Completion[]): Promise<TaskView[]> {
    return completions.map((completion) => {
      const { taskId } = completion;
      this.#update(taskId, (view) => finished(view, completion));
      const kept = this.#kept(taskId);
      kept.spec = undefined;
      this.#retain(kept.view);
      return kept.view;
    });
  }

  async readSpec(taskId: string): Promise<TaskSpec | undefined> {
    return this.#tasks.get(taskId)?.spec;
  }

  async readView(taskId: string): Promise<TaskView | undefined> {
    return this.#tasks.get(taskId)?.view;
  }

  #kept(taskId: string): Kept {
    const kept = this.#tasks.get(taskId);
    invariant(kept, `task ${taskId} is not in the store`);
    return kept;
  }

  #update(taskId: string, change: (view: TaskView) => TaskView): void {
    const kept = this.#kept(taskId);
    kept.view = change(kept.view);
  }

  #retain(view: TaskView): void {
    const bytes = bulkOf(view);
    this.#finished.set(view.id, bytes);
    this.#finishedBytes += bytes;
    for (const [id, size] of this.#finished) {
      const within =
        this.#finished.size <= memoryStoreLimits.finishedTasksMax &&
        this.#finishedBytes <= memoryStoreLimits.finishedBytesMax;
      if (within) return;
      this.#finished.delete(id);
      this.#finishedBytes -= size;
      this.#tasks.delete(id);
    }
  }
}

/** The attempts with the one that ended in its place. */
function withEnded(attempts: readonly AttemptRecord[], ended: AttemptRecord): AttemptRecord[] {
  return attempts.map((attempt) => (attempt.attempt === ended.attempt ? ended : attempt));
}

function finished(view: TaskView, completion: Completion): TaskView {
  const { attempt, ending, finishedAt, timeline } = completion;
  const { outcome, code, reason, result } = ending;
  return {
    ...view,
    state: 'finished',
    outcome,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    attempts: attempt ? withEnded(view.attempts, attempt) : view.attempts,
    finishedAt,
    ...(timeline && { timeline }),
    ...(result && {
      ...(result.exitCode !== undefined && { exitCode: result.exitCode }),
      ...(result.signal !== undefined && { signal: result.signal }),
      stdout: result.stdout,
      stderr: result.stderr,
      truncated: result.truncated,
      ...(result.usage && { usage: result.usage }),
      ...(result.exception && { exception: result.exception }),
      ...(result.files && { files: result.files }),
      ...(result.filesNotCollected && { filesNotCollected: result.filesNotCollected }),
    }),
  };
}
