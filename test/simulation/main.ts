/**
 * Long runs: npm run simulate -- --seeds N [--seed S] [--tasks T --workers W]
 *
 * Runs the seeds S, S+1, … and ends with 1 at the first that breaks a promise, which it prints. With
 * --tasks or --workers each is one large run.
 */
import { parseArgs } from 'node:util';
import { large } from './plan.js';
import { simulate } from './simulation.js';
import { Violation } from './violation.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    tasks: { type: 'string' },
    workers: { type: 'string' },
  },
});

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`--${name} takes a whole number above 0, not ${text}\n`);
  process.exit(2);
}

const seeds = whole('seeds', values.seeds);
const first = whole('seed', values.seed);
const sized = values.tasks !== undefined || values.workers !== undefined;
const tasks = whole('tasks', values.tasks ?? '10000');
const workers = whole('workers', values.workers ?? '100');
const startMs = performance.now();
let events = 0;
for (let seed = first; seed < first + seeds; seed++) {
  try {
    const summary = simulate(seed, sized ? large(tasks, workers) : undefined);
    events += summary.events;
    if (sized) process.stdout.write(`${JSON.stringify(summary)}\n`);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const again = `npm run simulate -- --seeds 1 --seed ${seed}`;
    const size = sized ? ` --tasks ${tasks} --workers ${workers}` : '';
    process.stderr.write(`${error.message}\nagain: ${again}${size}\n`);
    if (error.cause instanceof Error) process.stderr.write(`${error.cause.stack}\n`);
    process.exit(1);
  }
}
const seconds = (performance.now() - startMs) / 1000;
const rss = Math.round(process.memoryUsage.rss() / 1e6);
process.stdout.write(
  `${seeds} seeds held: ${events} events in ${seconds.toFixed(1)} s, ${rss} MB at the end\n`,
);
