import type { Sample } from '../wire/reports.js';
import type { History, Overview } from './controller-port.js';
import { timeText } from './time-text.js';
import { warningsOf } from './warnings.js';
import { workerJson } from './worker-json.js';

/** How the service stands, as an answer and an event show it. */
export function overviewJson(overview: Overview) {
  const { at, ready, draining, missing, queues, workers, workersMore } = overview;
  const { deadLetters, deadLettersMore } = overview;
  return {
    at: timeText(at),
    ...{ ready, draining, missing },
    queues: queues.map(({ readyPerMinute: _, lacksWorker: __, ...queue }) => queue),
    workers: workers.map(workerJson),
    ...(workersMore && { workersMore }),
    ...(deadLetters !== undefined && { deadLetters }),
    ...(deadLettersMore && { deadLettersMore }),
    warnings: warningsOf(overview),
  };
}

export type OverviewJson = ReturnType<typeof overviewJson>;

/**
 * The same text of two overviews that tell the same. What always moves is no news: the time, and when a
 * worker was last heard of.
 */
export function newsOf({ at: _, workers, ...rest }: OverviewJson): string {
  return JSON.stringify({ ...rest, workers: workers.map(({ heardAt: __, ...worker }) => worker) });
}

export function sampleJson({ at, types }: Sample) {
  return {
    at: timeText(at),
    types: Object.fromEntries(types.map(({ type, ...sample }) => [type, sample])),
  };
}

export function historyJson({ stepMs, samples }: History) {
  return { stepMs, samples: samples.map(sampleJson) };
}
