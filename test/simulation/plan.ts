import type { Retry } from '../../src/task.js';
import type { Random } from './random.js';

/** What a run is made of. Times in virtual milliseconds. */
export interface Plan {
  tasks: number;
  workers: number;
  types: readonly string[];
  /** Weight of each group by name. */
  groups: ReadonlyMap<string, number>;
  /** Tasks come over so long. */
  arriveOverMs: number;
  /** How often each happens on average; Infinity: never. */
  everyMs: {
    workerCrash: number;
    controllerCrash: number;
    cut: number;
    hang: number;
    clockJump: number;
    cancel: number;
    pause: number;
    drain: number;
  };
  /** Nothing goes wrong any more after this. */
  faultsUntilMs: number;
  /** Chances of a task to be one of these. */
  chances: {
    poison: number;
    delayed: number;
    mortal: number;
    overrun: number;
    runtimeError: number;
    internalFail: number;
  };
  meanMs: number;
  /** Every group has something to do until this; shares are measured up to then. 0: not measured. */
  sharesUntilMs: number;
  retry: Retry | undefined;
  /** Longest that a commit takes. */
  commitMsMax: number;
}

const never = Number.POSITIVE_INFINITY;
const calm: Plan['everyMs'] = {
  workerCrash: never,
  controllerCrash: never,
  cut: never,
  hang: never,
  clockJump: never,
  cancel: never,
  pause: never,
  drain: never,
};
const harmless: Plan['chances'] = {
  poison: 0,
  delayed: 0,
  mortal: 0,
  overrun: 0,
  runtimeError: 0,
  internalFail: 0,
};

/** Everything goes wrong. */
export function troubled(random: Random): Plan {
  const often = () => (random.chance(0.3) ? never : random.between(500, 8_000));
  return {
    tasks: random.int(20, 120),
    workers: random.int(1, 8),
    types: random.chance(0.5) ? ['python'] : ['python', 'node'],
    groups: new Map(
      random.chance(0.5)
        ? [['', 1]]
        : [
            ['', 1],
            ['a', 2],
            ['b', 0.5],
          ],
    ),
    arriveOverMs: random.between(0, 10_000),
    everyMs: {
      workerCrash: often(),
      controllerCrash: random.chance(0.4) ? never : random.between(2_000, 15_000),
      cut: often(),
      hang: 2 * often(),
      clockJump: often(),
      cancel: often() / 4,
      pause: often(),
      drain: 2 * often(),
    },
    faultsUntilMs: 20_000,
    chances: {
      poison: random.chance(0.5) ? 0.03 : 0,
      delayed: 0.2,
      mortal: 0.2,
      overrun: 0.03,
      runtimeError: 0.1,
      internalFail: random.between(0, 0.3),
    },
    meanMs: random.between(20, 1_500),
    sharesUntilMs: 0,
    retry: undefined,
    commitMsMax: 3,
  };
}

/** A slow disk and a controller that dies often: much of what it did is not known afterwards. */
export function forgetful(random: Random): Plan {
  const plan = troubled(random);
  return {
    ...plan,
    workers: random.int(2, 4),
    types: ['python'],
    arriveOverMs: 2_000,
    everyMs: { ...plan.everyMs, controllerCrash: 1_500, cut: 1_000, pause: never },
    chances: { ...harmless, runtimeError: 0.1, internalFail: 0.1 },
    meanMs: 500,
    commitMsMax: 400,
  };
}

/** Groups that all have more to do than there are slots for. */
export function contended(random: Random): Plan {
  const groups = new Map<string, number>();
  for (let index = 0; index < random.int(2, 3); index++) {
    groups.set(`g${index}`, random.int(1, 3));
  }
  return {
    tasks: 900,
    workers: 2,
    types: ['python'],
    groups,
    arriveOverMs: 0,
    everyMs: calm,
    faultsUntilMs: 0,
    chances: harmless,
    meanMs: 100,
    sharesUntilMs: never,
    retry: undefined,
    commitMsMax: 3,
  };
}

/** More is to be tried again at once than may be. */
export function stormy(): Plan {
  return {
    tasks: 1_500,
    workers: 30,
    types: ['python'],
    groups: new Map([['', 1]]),
    arriveOverMs: 0,
    everyMs: calm,
    faultsUntilMs: 0,
    chances: { ...harmless, internalFail: 1 },
    meanMs: 0.5,
    sharesUntilMs: 0,
    retry: { maxAttempts: 2, baseMs: 1, capMs: 1 },
    commitMsMax: 3,
  };
}

/** A run of any size in which everything goes wrong now and then. */
export function large(tasks: number, workers: number): Plan {
  return {
    tasks,
    workers,
    types: ['python', 'node', 'bash'],
    groups: new Map([
      ['', 1],
      ['a', 2],
      ['b', 3],
    ]),
    arriveOverMs: 60_000,
    everyMs: {
      workerCrash: 200,
      controllerCrash: 30_000,
      cut: 200,
      hang: 1_000,
      clockJump: 5_000,
      cancel: 50,
      pause: 10_000,
      drain: 1_000,
    },
    faultsUntilMs: 90_000,
    chances: {
      poison: 1e-5,
      delayed: 0.1,
      mortal: 0,
      overrun: 1e-4,
      runtimeError: 0.1,
      internalFail: 0.01,
    },
    meanMs: 1_000,
    sharesUntilMs: 0,
    retry: undefined,
    commitMsMax: 3,
  };
}

/** Most seeds are trouble, a few measure shares or storms. */
export function planOf(seed: number, random: Random): Plan {
  if (seed % 24 === 7) return stormy();
  if (seed % 6 === 5) return forgetful(random);
  return seed % 12 === 3 ? contended(random) : troubled(random);
}
