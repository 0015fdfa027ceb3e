import { Checker } from './checker.js';
import { ModelController } from './model-controller.js';
import { ModelStore } from './model-store.js';
import { ModelWorker } from './model-worker.js';
import { type Plan, planOf } from './plan.js';
import { resetIds, type Script, scriptOf } from './task.js';
import { must, Violation } from './violation.js';
import { World } from './world.js';

export interface Summary {
  seed: number;
  tasks: number;
  /** Things that happened, and turns of controllers. */
  events: number;
  turns: number;
  virtualMs: number;
  outcomes: Record<string, number>;
}

/** All that is unfinished when faults end has to be finished so long after. */
const endgameMs = 30 * 60_000;
/** How far a group's part of the slot time may be from its weight. */
const sharesWithin = 0.1;

/**
 * One run, decided by its seed.
 *
 * @throws Violation when a promise is broken; its message names the seed, which repeats the run
 */
export function simulate(seed: number, planned?: Plan): Summary {
  resetIds();
  const world = new World(seed);
  const run = new Simulation(world, planned ?? planOf(seed, world.random));
  try {
    return { seed, ...run.run() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const at = `seed ${seed}, at ${world.nowMs.toFixed(3)} ms, after ${world.events} events`;
    throw new Violation(`${error.message} (${at})`, { cause: error });
  }
}

class Simulation {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #checker: Checker;
  readonly #scripts = new Map<string, Script>();
  readonly #controller: ModelController;
  readonly #workers: ModelWorker[] = [];
  /** Slot time of each group. */
  readonly #heldMs = new Map<string, number>();
  readonly #ids: string[] = [];
  #arrived = 0;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.#checker = new Checker(world);
    const store = new ModelStore(world, plan.commitMsMax);
    const scripts = this.#scripts;
    const shared = { world, plan, store, checker: this.#checker, scripts };
    this.#controller = new ModelController(shared, ({ script }, heldMs) => {
      this.#heldMs.set(script.group, (this.#heldMs.get(script.group) ?? 0) + heldMs);
    });
  }

  run(): Omit<Summary, 'seed'> {
    const { plan, world, checker } = {
      plan: this.#plan,
      world: this.#world,
      checker: this.#checker,
    };
    this.#controller.start();
    const workers = Math.max(plan.workers, plan.types.length);
    for (let index = 0; index < workers; index++) this.#addWorker(index);
    this.#arrive();
    this.#plagues();
    if (plan.sharesUntilMs > 0) this.#measureShares();
    const endMs = plan.faultsUntilMs + endgameMs;
    const isOver = () => this.#arrived === plan.tasks && world.nowMs > plan.faultsUntilMs;
    let looked = 0;
    while (world.step(endMs)) {
      // Looking costs as much as there are tasks.
      if (++looked % Math.max(64, plan.tasks) === 0 && isOver() && checker.unfinished.length === 0)
        break;
    }
    const left = checker.unfinished;
    const [first] = left;
    const why = first && this.#controller.scheduler?.explain(first.script.id, world.nowMs)?.text;
    must(!first, `${left.length} tasks never finished; ${first?.script.id}: ${why}`);
    const outcomes = Object.fromEntries(checker.outcomes);
    const { events, nowMs: virtualMs } = world;
    return { tasks: plan.tasks, events, turns: this.#controller.turns, virtualMs, outcomes };
  }

  #addWorker(index: number): void {
    const { types } = this.#plan;
    const type = types[index % types.length] ?? 'python';
    const worker = new ModelWorker(this.#world, `w${index}`, type, this.#controller);
    this.#workers.push(worker);
    this.#controller.addWorker(worker);
  }

  #arrive(): void {
    const { tasks, arriveOverMs } = this.#plan;
    const script = scriptOf(this.#world, this.#plan, this.#arrived);
    this.#scripts.set(script.id, script);
    this.#ids.push(script.id);
    this.#controller.submit(script);
    if (++this.#arrived === tasks) return;
    const nextMs = this.#world.random.exponential(arriveOverMs / tasks);
    this.#world.after(nextMs, () => this.#arrive());
  }

  #plagues(): void {
    const { random } = this.#world;
    const { everyMs, types } = this.#plan;
    const controller = this.#controller;
    const worker = () => random.pick(this.#workers);
    this.#again(everyMs.workerCrash, () => worker().crash());
    this.#again(everyMs.controllerCrash, () => controller.crash());
    this.#again(everyMs.cut, () => {
      const cut = worker();
      cut.cutUntilMs = this.#world.nowMs + random.exponential(2_000);
      controller.break(cut);
    });
    this.#again(everyMs.hang, () => controller.hang(worker(), random.exponential(4_000)));
    this.#again(everyMs.clockJump, () => {
      this.#world.wallAheadMs += random.between(-60_000, 60_000);
    });
    this.#again(everyMs.cancel, () => controller.cancel(random.pick(this.#recent())));
    this.#again(everyMs.pause, () =>
      controller.pause(random.pick(types), random.between(10, 3_000)),
    );
    this.#again(everyMs.drain, () => controller.drain(worker()));
    // There may come to be more workers than there were.
    if (Number.isFinite(everyMs.drain)) {
      this.#world.after(random.between(0, this.#plan.faultsUntilMs), () =>
        this.#addWorker(this.#workers.length),
      );
    }
  }

  /** Tasks that may well be unfinished; a bounded number. */
  #recent(): string[] {
    return this.#ids.slice(-200);
  }

  #again(everyMs: number, what: () => void): void {
    if (!Number.isFinite(everyMs)) return;
    const delayMs = this.#world.random.exponential(everyMs);
    if (this.#world.nowMs + delayMs > this.#plan.faultsUntilMs) return;
    this.#world.after(delayMs, () => {
      what();
      this.#again(everyMs, what);
    });
  }

  /** Looks at the shares when the first group has nothing left to wait. */
  #measureShares(): void {
    const waiting = new Map([...this.#plan.groups.keys()].map((group) => [group, 0]));
    for (const { state, script } of this.#checker.tallies.values()) {
      if (state === 'finished') continue;
      if (state !== 'running') waiting.set(script.group, (waiting.get(script.group) ?? 0) + 1);
    }
    const contended = [...waiting.values()].every((count) => count > 5);
    if (this.#arrived < this.#plan.tasks || contended) {
      this.#world.after(50, () => this.#measureShares());
      return;
    }
    const running = this.#workers.flatMap((worker) => [...worker.running.values()]);
    const heldMs = new Map(this.#heldMs);
    for (const { script, startedAtMs } of running) {
      const soFarMs = this.#world.nowMs - (startedAtMs ?? this.#world.nowMs);
      heldMs.set(script.group, (heldMs.get(script.group) ?? 0) + soFarMs);
    }
    this.#checkShares(heldMs);
  }

  #checkShares(heldMs: ReadonlyMap<string, number>): void {
    const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
    const all = sum(heldMs.values());
    const weights = sum(this.#plan.groups.values());
    for (const [group, weight] of this.#plan.groups) {
      const share = (heldMs.get(group) ?? 0) / all;
      const due = weight / weights;
      const off = Math.abs(share - due) / due;
      must(off <= sharesWithin, `group ${group} had ${share.toFixed(3)}, not ${due.toFixed(3)}`);
    }
  }
}
