import type { QueueReport } from '../wire/reports.js';
import type { Figures } from './figures.js';
import type { TypeReading } from './history.js';

/** What the history reads at the end of a step: each queue, with the counts of its type. */
export function typeReadings(queues: readonly QueueReport[], figures: Figures): TypeReading[] {
  return queues.map(({ type, ready, waiting, running, slots }) => {
    const counts = figures.of(type);
    const { submitted, longestWaitMs } = counts;
    counts.longestWaitMs = 0;
    return {
      ...{ type, ready, waiting, running, slots, submitted },
      finished: counts.finished.byOutcome(),
      dispatched: counts.waiting.counts.reduce((sum, count) => sum + count, 0),
      queuedMs: counts.waiting.sum * 1000,
      queuedMsMax: longestWaitMs,
    };
  });
}
