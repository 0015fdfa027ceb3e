import { defaultRetryPolicy } from '../../src/scheduler/retry.js';
import type { NewTask } from '../../src/scheduler/scheduler.js';
import type { Outcome } from '../../src/verdict.js';
import type { Plan } from './plan.js';
import type { World } from './world.js';

/** A task as a client wants it, and what will happen when it runs. */
export interface Script {
  readonly id: string;
  readonly type: string;
  readonly group: string;
  readonly priority: number;
  readonly wallMs: number;
  readonly durationMs: number;
  /** Brings its worker down when it begins. */
  readonly poison: boolean;
  /** Does not end by itself, and its worker does not notice. */
  readonly overruns: boolean;
  /** How it ends, by attempt; the last one again and again. */
  readonly outcomes: readonly Outcome[];
  readonly retry: NewTask['retry'];
  readonly maxAttempts: number;
  readonly delayMs: number | undefined;
  readonly expiresAfterMs: number | undefined;
}

let made = 0;

/** UUIDs in order, as a controller makes them. The count starts again with each run. */
export function resetIds(): void {
  made = 0;
}

function nextId(world: World): string {
  const hex = (made++).toString(16).padStart(12, '0');
  const noise = Math.floor(world.random.next() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-0000${noise}`;
}

export function scriptOf(world: World, plan: Plan, index: number): Script {
  const { random } = world;
  const { chances } = plan;
  const groups = [...plan.groups.keys()];
  // Where shares are measured, groups differ in how long their tasks last.
  const measured = plan.sharesUntilMs > 0;
  const at = index % groups.length;
  const group = measured ? (groups[at] ?? '') : random.pick(groups);
  const meanMs = measured ? plan.meanMs * (1 + at) : plan.meanMs;
  const outcomes: Outcome[] = [];
  while (outcomes.length < 3 && random.chance(chances.internalFail)) outcomes.push('internal_fail');
  const ownFault = random.chance(chances.runtimeError);
  if (chances.internalFail < 1) outcomes.push(ownFault ? 'runtime_error' : 'success');
  const retry =
    plan.retry ??
    (random.chance(0.3)
      ? { maxAttempts: random.int(1, 4), on: random.chance(0.5) ? ['runtime_error' as const] : [] }
      : undefined);
  return {
    id: nextId(world),
    type: random.pick(plan.types),
    group,
    priority: measured ? 0 : random.int(-2, 2),
    wallMs: 5_000,
    durationMs: Math.min(4_000, measured ? meanMs : random.exponential(meanMs)),
    poison: random.chance(chances.poison),
    overruns: random.chance(chances.overrun),
    outcomes,
    retry,
    maxAttempts: retry?.maxAttempts ?? defaultRetryPolicy.maxAttempts,
    delayMs: random.chance(chances.delayed) ? random.between(0, 5_000) : undefined,
    expiresAfterMs: random.chance(chances.mortal) ? random.between(100, 10_000) : undefined,
  };
}
