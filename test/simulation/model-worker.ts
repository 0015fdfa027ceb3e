import type { AttemptKey, Result } from '../../src/task.js';
import { resultOf } from '../scheduler/rig.js';
import type { Link } from './link.js';
import type { Script } from './task.js';
import type { World } from './world.js';

/** One run of one attempt on one worker. */
export interface Execution {
  readonly script: Script;
  readonly attempt: number;
  readonly worker: ModelWorker;
  readonly instance: string;
  startedAtMs: number | undefined;
  over: boolean;
}

/** What the controller hears from a worker. */
export interface WorkerEars {
  onInventory(worker: ModelWorker): void;
  onStarted(worker: ModelWorker, key: AttemptKey): void;
  onResult(worker: ModelWorker, key: AttemptKey, result: Result, execution: Execution): void;
  onRecalled(worker: ModelWorker, key: AttemptKey): void;
  /** Its process has ended: the connections close. */
  onCrash(worker: ModelWorker): void;
  /** For checks only: nothing in the model knows it at once. */
  observeEnd(execution: Execution, heldMs: number): void;
  observeTwice(execution: Execution): void;
}

const keyOf = ({ script, attempt }: Execution) => ({ taskId: script.id, attempt });
const nameOf = ({ script, attempt }: Execution) => `${script.id}/${attempt}`;

/** A worker daemon: slots, a queue before them, results that it keeps until they are acknowledged. */
export class ModelWorker {
  readonly id: string;
  readonly type: string;
  readonly slots: number;
  readonly prefetch: number;
  readonly remote: boolean;
  /** How many times longer everything takes here. */
  readonly slowness: number;
  /** Never ends anything when told to. */
  readonly deaf: boolean;
  readonly #world: World;
  readonly #ears: WorkerEars;
  readonly running = new Map<string, Execution>();
  readonly queue: Execution[] = [];
  readonly unacknowledged = new Map<string, { execution: Execution; result: Result }>();
  link: Link | undefined;
  /** What the controller heard last. */
  inventorySent: { running: AttemptKey[]; unacknowledged: AttemptKey[] } | undefined;
  instanceSeen: string | undefined;
  alive = true;
  /** Cannot be connected to until then. */
  cutUntilMs = 0;
  #life = 0;
  #hungUntilMs = 0;

  constructor(world: World, id: string, type: string, ears: WorkerEars) {
    const { random } = world;
    this.#world = world;
    this.#ears = ears;
    this.id = id;
    this.type = type;
    this.slots = random.int(1, 4);
    this.prefetch = random.int(0, 2);
    this.remote = random.chance(0.5);
    this.slowness = random.chance(0.2) ? random.between(2, 5) : 1;
    this.deaf = random.chance(0.05);
  }

  get instance(): string {
    return `${this.id}#${this.#life}`;
  }

  get hung(): boolean {
    return this.#hungUntilMs > this.#world.nowMs;
  }

  /** Both connections stand. */
  accept(link: Link): void {
    this.link = link;
    this.#awake(() => {
      if (this.link !== link) return;
      // What it has when it speaks, not when it is heard.
      const sent = this.#inventory();
      const { instance } = this;
      link.fromEmitter.send(() => {
        this.inventorySent = sent;
        this.instanceSeen = instance;
        this.#ears.onInventory(this);
      });
      for (const { execution, result } of this.unacknowledged.values()) {
        this.#tell(() => this.#ears.onResult(this, keyOf(execution), result, execution));
      }
    });
  }

  #inventory(): { running: AttemptKey[]; unacknowledged: AttemptKey[] } {
    const running = [...this.running.values(), ...this.queue].map(keyOf);
    const held = [...this.unacknowledged.values()].map(({ execution }) => keyOf(execution));
    return { running, unacknowledged: held };
  }

  execute(script: Script, attempt: number): void {
    this.#awake(() => {
      const { instance } = this;
      const execution = {
        script,
        attempt,
        worker: this,
        instance,
        startedAtMs: undefined,
        over: false,
      };
      if (this.#knows(nameOf(execution))) this.#ears.observeTwice(execution);
      this.queue.push(execution);
      this.#pump();
    });
  }

  stop({ taskId, attempt }: AttemptKey, cause: string): void {
    const name = `${taskId}/${attempt}`;
    this.#awake(() => {
      const queued = this.#unqueue(name);
      if (queued) this.#end(queued, resultOf('cancelled', 'CANCELLED'));
      const running = this.running.get(name);
      if (!queued && !running && !this.unacknowledged.has(name)) {
        this.#tell(() => this.#ears.onRecalled(this, { taskId, attempt }));
      }
      if (!running || this.deaf) return;
      const overdue = cause === 'deadline';
      const result = overdue ? resultOf('runtime_error', 'WALL_LIMIT') : resultOf('cancelled');
      this.#later(this.#world.random.between(0, 20), () => this.#end(running, result));
    });
  }

  recall({ taskId, attempt }: AttemptKey): void {
    this.#awake(() => {
      const queued = this.#unqueue(`${taskId}/${attempt}`);
      if (!queued) return;
      queued.over = true;
      this.#tell(() => this.#ears.onRecalled(this, keyOf(queued)));
    });
  }

  acknowledge({ taskId, attempt }: AttemptKey): void {
    this.#awake(() => this.unacknowledged.delete(`${taskId}/${attempt}`));
  }

  /** All that it had is gone. Another process of its name comes a little later. */
  crash(): void {
    if (!this.alive) return;
    this.#life++;
    this.alive = false;
    for (const execution of this.running.values()) this.#over(execution);
    this.running.clear();
    this.queue.length = 0;
    this.unacknowledged.clear();
    this.#hungUntilMs = 0;
    this.#ears.onCrash(this);
    this.#world.after(this.#world.random.between(50, 1_000), () => {
      this.alive = true;
    });
  }

  hang(forMs: number): void {
    this.#hungUntilMs = this.#world.nowMs + forMs;
  }

  #knows(name: string): boolean {
    const queued = this.queue.some((execution) => nameOf(execution) === name);
    return queued || this.running.has(name) || this.unacknowledged.has(name);
  }

  #unqueue(name: string): Execution | undefined {
    const at = this.queue.findIndex((execution) => nameOf(execution) === name);
    return at < 0 ? undefined : this.queue.splice(at, 1)[0];
  }

  #pump(): void {
    while (this.running.size < this.slots) {
      const execution = this.queue.shift();
      if (!execution) return;
      const { script, attempt } = execution;
      this.running.set(nameOf(execution), execution);
      execution.startedAtMs = this.#world.nowMs;
      this.#tell(() => this.#ears.onStarted(this, keyOf(execution)));
      if (script.poison) {
        this.#later(1, () => {
          if (!execution.over) this.crash();
        });
      } else if (!script.overruns) {
        const outcome =
          script.outcomes[Math.min(attempt, script.outcomes.length) - 1] ?? 'internal_fail';
        const result = resultOf(outcome, outcome === 'internal_fail' ? 'INTERNAL' : undefined);
        this.#later(script.durationMs * this.slowness, () => this.#end(execution, result));
      }
    }
  }

  #end(execution: Execution, result: Result): void {
    if (execution.over) return;
    this.running.delete(nameOf(execution));
    this.#over(execution);
    this.unacknowledged.set(nameOf(execution), { execution, result });
    this.#tell(() => this.#ears.onResult(this, keyOf(execution), result, execution));
    this.#pump();
  }

  #over(execution: Execution): void {
    execution.over = true;
    const { startedAtMs } = execution;
    if (startedAtMs !== undefined) {
      this.#ears.observeEnd(execution, this.#world.nowMs - startedAtMs);
    }
  }

  #tell(arrive: () => void): void {
    this.link?.fromEmitter.send(arrive);
  }

  #later(delayMs: number, what: () => void): void {
    const { instance } = this;
    this.#world.after(delayMs, () => {
      if (this.instance === instance) this.#awake(what);
    });
  }

  /** Now, or when it goes on. */
  #awake(what: () => void): void {
    const { instance } = this;
    if (!this.hung) {
      what();
      return;
    }
    this.#world.after(this.#hungUntilMs - this.#world.nowMs, () => {
      if (this.instance === instance) this.#awake(what);
    });
  }
}
