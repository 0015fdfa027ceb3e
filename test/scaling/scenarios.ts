import { ruleOf } from '../../src/scaling/rule.js';
import { Model, type ModelOptions, stepMs } from './model.js';

export interface Scenario {
  name: string;
  title: string;
  options: ModelOptions;
  seconds: number;
  /** Tasks that come in that second; fractions add up. */
  arrivals(second: number): number;
}

/** What there was at the end of one second. */
export interface Sample {
  second: number;
  /** Tasks, running or waiting. */
  tasks: number;
  /** Slots of workers that are up. */
  slots: number;
  /** Workers that are up, and all with those that start or drain. */
  up: number;
  all: number;
}

const hour = 3_600;

export const scenarios: readonly Scenario[] = [
  {
    name: 'burst',
    title: 'A burst: 2,000 tasks of 5 s at once; 4 slots a pod, at most 20 pods, 60 s of cooldown',
    options: { rule: ruleOf('python', 4, { min: 0, max: 20 }), startMs: 8_000, taskMs: 5_000 },
    seconds: 360,
    arrivals: (second) => (second === 20 ? 2_000 : 0),
  },
  {
    name: 'ramp',
    title: 'A ramp: from 0 to 20 tasks of 3 s a second in ten minutes, and back; 4 slots a pod',
    options: { rule: ruleOf('python', 4, { min: 1, max: 20 }), startMs: 8_000, taskMs: 3_000 },
    seconds: 1_500,
    arrivals: (second) => 20 * Math.max(0, 1 - Math.abs(second - 660) / 600),
  },
  {
    name: 'day',
    title: 'A day: 2 tasks of 6 s a second at night, 24 at noon, 5 minutes of cooldown',
    options: {
      rule: ruleOf('python', 8, { min: 1, max: 30, cooldownMs: 300_000 }),
      ...{ startMs: 20_000, taskMs: 6_000 },
    },
    seconds: 24 * hour,
    arrivals: (second) => 13 - 11 * Math.cos((2 * Math.PI * second) / (24 * hour)),
  },
];

/** Runs one; the same each time. */
export function run({ options, seconds, arrivals }: Scenario): Sample[] {
  const model = new Model(options);
  const samples: Sample[] = [];
  let owed = 0;
  for (let second = 0; second < seconds; second++) {
    owed += arrivals(second);
    const arriving = Math.floor(owed);
    owed -= arriving;
    model.step(arriving);
    const up = model.count('up');
    samples.push({
      second: (second * stepMs) / 1_000,
      tasks: model.pending + model.running,
      slots: up * options.rule.slots,
      up,
      all: model.workers.length,
    });
  }
  return samples;
}
