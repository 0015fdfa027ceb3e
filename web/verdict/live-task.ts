import { signal } from '@preact/signals';
import type { FinishedTask, Task, TaskState } from '../../src/client/task.js';
import { follow } from '../api/events.js';
import { LiveOutput, type Piece } from './live-output.js';

/** One change of a task's state, as its stream tells it. */
export interface TaskChange {
  state: TaskState;
  attempt: number;
  at: string;
  reason?: string;
  nextAttemptAt?: string;
}

interface Outputs {
  stdout: LiveOutput;
  stderr: LiveOutput;
}

/**
 * A task while something comes of it, and after. It is followed until its end, or `stop`.
 *
 * Source: docs/API.md, GET /v1/tasks/ID/events
 */
export class LiveTask {
  readonly id: string;
  /** The last that was told. */
  readonly change = signal<TaskChange | undefined>(undefined);
  /** Of the last attempt; another pair when the task is tried again. */
  readonly outputs = signal<Outputs>(freshOutputs());
  /** Once it has ended: without its outputs and files. */
  readonly task = signal<FinishedTask | undefined>(undefined);
  /** What is wrong with the connection; '' while it is well. */
  readonly fault = signal('');
  /** Nothing more of it will be told, and its end was not: `fault` says why. */
  readonly isLost = signal(false);
  #attempt = 0;
  #stop: () => void = () => undefined;

  private constructor(id: string) {
    this.id = id;
  }

  static follow(id: string): LiveTask {
    const live = new LiveTask(id);
    live.#stop = follow(`/v1/tasks/${encodeURIComponent(id)}/events`, {
      onEvent: (name, data) => live.#take(name, data),
      onFault: (fault) => {
        live.fault.value = fault;
      },
      onEnd: () => {
        live.isLost.value = live.task.peek() === undefined;
      },
    });
    return live;
  }

  /** Of one that has ended, all of which is there. */
  static ended(task: FinishedTask): LiveTask {
    const live = new LiveTask(task.id);
    const { stdout, stderr } = live.outputs.value;
    stdout.add(pieceOf(task.stdout, task.stdoutEncoding));
    stderr.add(pieceOf(task.stderr, task.stderrEncoding));
    live.#end(task);
    return live;
  }

  /** It goes on, but is not followed any more. */
  stop(): void {
    this.#stop();
  }

  #take(name: string, data: unknown): void {
    if (name === 'state') this.change.value = data as TaskChange;
    else if (name === 'stdout' || name === 'stderr') this.#add(name, data as Piece & Attempted);
    else if (name === 'end') this.#end(data as FinishedTask);
  }

  #add(name: keyof Outputs, piece: Piece & Attempted): void {
    if (piece.attempt > this.#attempt && this.#attempt > 0) this.outputs.value = freshOutputs();
    this.#attempt = piece.attempt;
    this.outputs.value[name].add(piece);
  }

  #end(task: FinishedTask): void {
    const { stdout, stderr } = this.outputs.value;
    stdout.end();
    stderr.end();
    this.task.value = task;
    this.#stop();
  }
}

interface Attempted {
  attempt: number;
}

function freshOutputs(): Outputs {
  return { stdout: new LiveOutput(), stderr: new LiveOutput() };
}

function pieceOf(text = '', encoding: Task['stdoutEncoding'] = 'utf-8'): Piece {
  return encoding === 'utf-8' ? { text } : { base64: text };
}
