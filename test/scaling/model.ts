import type { Decision, Memory, WorkerSight } from '../../src/scaling/policy.js';
import { decide, emptyMemory } from '../../src/scaling/policy.js';
import type { ScalingRule } from '../../src/scaling/rule.js';

interface ModelWorker {
  name: string;
  phase: WorkerSight['phase'];
  /** Tasks that it runs: seconds of work that are left of each. */
  tasks: number[];
  template: number;
  madeAtMs: number;
  readyAtMs: number;
}

export interface ModelOptions {
  rule: ScalingRule;
  /** From the decision to start one until it is up. Milliseconds. */
  startMs: number;
  /** What one task takes. Milliseconds. */
  taskMs: number;
  workers?: number;
}

/** Steps of one decision each, as the controller makes them. Milliseconds. */
export const stepMs = 1_000;

/** Workers of one type and their queue, in a time of their own: one decision a second. */
export class Model {
  readonly options: ModelOptions;
  readonly workers: ModelWorker[] = [];
  nowMs = 0;
  template = 0;
  pending = 0;
  finished = 0;
  failures = 0;
  /** While it is false nobody knows how many tasks there are. */
  known = true;
  /** Until it is over, each worker that would be up fails instead. */
  brokenUntilMs = 0;
  memory: Memory = emptyMemory;
  #made = 0;

  constructor(options: ModelOptions) {
    this.options = options;
    for (let index = 0; index < (options.workers ?? 0); index++) this.#start(0);
  }

  get running(): number {
    return this.workers.reduce((sum, { tasks }) => sum + tasks.length, 0);
  }

  count(...phases: WorkerSight['phase'][]): number {
    return this.workers.filter(({ phase }) => phases.includes(phase)).length;
  }

  /** One second: work is done and handed out, and the policy decides. */
  step(arriving: number): Decision {
    this.nowMs += stepMs;
    this.pending += arriving;
    this.#work();
    this.#comeUp();
    this.#handOut();
    const sight = {
      nowMs: this.nowMs,
      tasks: this.known ? this.pending + this.running : undefined,
      workers: this.#sights(),
      failures: this.failures,
    };
    this.failures = 0;
    const { memory, decision } = decide(this.options.rule, this.memory, sight);
    this.memory = memory;
    this.#obey(decision);
    return decision;
  }

  busy(name: string): number {
    return this.workers.find((worker) => worker.name === name)?.tasks.length ?? 0;
  }

  /** Ends one without any notice; what it ran is to be run again. */
  kill(index: number): void {
    const [worker] = this.workers.splice(index % Math.max(1, this.workers.length), 1);
    this.pending += worker?.tasks.length ?? 0;
  }

  #sights(): WorkerSight[] {
    return this.workers.map(({ name, phase, tasks, template, madeAtMs, readyAtMs }) => ({
      ...{ name, phase, busy: tasks.length, outdated: template !== this.template, madeAtMs },
      upSinceMs: phase === 'up' ? readyAtMs : undefined,
    }));
  }

  #work(): void {
    for (const worker of this.workers) {
      const left = worker.tasks.map((ms) => ms - stepMs).filter((ms) => ms > 0);
      this.finished += worker.tasks.length - left.length;
      worker.tasks = left;
    }
    this.#remove(({ phase, tasks }) => phase === 'draining' && tasks.length === 0);
  }

  #comeUp(): void {
    const ready = this.workers.filter(
      ({ phase, readyAtMs }) => phase === 'starting' && readyAtMs <= this.nowMs,
    );
    if (this.nowMs < this.brokenUntilMs) {
      this.failures += ready.length;
      this.#remove((worker) => ready.includes(worker));
    } else {
      for (const worker of ready) worker.phase = 'up';
    }
  }

  #handOut(): void {
    for (const worker of this.workers.filter(({ phase }) => phase === 'up')) {
      while (this.pending > 0 && worker.tasks.length < this.options.rule.slots) {
        worker.tasks.push(this.options.taskMs);
        this.pending -= 1;
      }
    }
  }

  #obey({ start, drain, cancel, retire }: Decision): void {
    for (let index = 0; index < start; index++) this.#start(this.options.startMs);
    for (const worker of this.workers) {
      if (drain.includes(worker.name) || worker.name === retire) worker.phase = 'draining';
    }
    this.#remove(({ name }) => cancel.includes(name));
  }

  #start(startMs: number): void {
    this.#made += 1;
    this.workers.push({
      name: `w${this.#made}`,
      phase: startMs === 0 ? 'up' : 'starting',
      tasks: [],
      template: this.template,
      madeAtMs: this.nowMs,
      readyAtMs: this.nowMs + startMs,
    });
  }

  #remove(gone: (worker: ModelWorker) => boolean): void {
    const left = this.workers.filter((worker) => !gone(worker));
    this.workers.splice(0, this.workers.length, ...left);
  }
}
