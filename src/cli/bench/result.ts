import type { LoadOptions } from './load.js';
import { LogHistogram } from './log-histogram.js';
import { type Phase, phases, type Tally } from './tally.js';

/** What was measured. */
export interface Result {
  url: string;
  /** It is not the one that every other command would ask. */
  isUrlGiven: boolean;
  load: LoadOptions;
  /** Tasks that were sent before, and are not counted. */
  warmUp: number;
  runTag: string;
  tally: Tally;
  /** From the first task on until the last one had ended. */
  elapsedMs: number;
  /** Processor time of this process meanwhile, as a share of one processor. */
  clientCpu: number;
  /** The most requests that were in flight at once. */
  requestsMax: number;
  isInterrupted: boolean;
}

export function perSecond({ tally, elapsedMs }: Result): number {
  return elapsedMs > 0 ? (tally.tasks / elapsedMs) * 1_000 : 0;
}

/** Those that tasks went through. Only at a rate may one be sent late. */
export function phasesOf({ tally, load }: Result): Phase[] {
  const isLate = load.pace.perSecond !== undefined;
  return phases.filter((phase) => tally.phases.has(phase) && (phase !== 'late' || isLate));
}

/** For programs; docs/CLI.md explains it. */
export function jsonOf(result: Result): object {
  const { url, load, warmUp, runTag, tally, elapsedMs, isInterrupted } = result;
  const { spec, pace, clients, isBatch } = load;
  return {
    url,
    type: tally.type ?? spec.type,
    tags: spec.tags,
    runTag,
    clients,
    batch: isBatch ? pace.perRequest : null,
    ratePerSecond: pace.perSecond ?? null,
    warmUp,
    interrupted: isInterrupted,
    elapsedMs: rounded(elapsedMs),
    tasks: tally.tasks,
    succeeded: tally.succeeded,
    failed: tally.tasks - tally.succeeded,
    tasksPerSecond: rounded(perSecond(result)),
    latencyMs: summaryOf(tally.latency),
    timelineMs: Object.fromEntries(
      phasesOf(result).map((phase) => [
        phase,
        summaryOf(tally.phases.get(phase) ?? new LogHistogram()),
      ]),
    ),
    histogram: [...tally.latency.buckets()].map(({ toMs, count }) => ({
      toMs: rounded(toMs),
      tasks: count,
    })),
    ends: [...tally.ends.values()].map(({ outcome, code, reason, tasks }) => ({
      ...{ outcome, code: code ?? null, reason: reason ?? null, tasks },
    })),
    retries: Object.fromEntries(tally.retries),
    retryWaitMsMax: rounded(tally.retryWaitMsMax),
    requestsMax: result.requestsMax,
    clientCpu: rounded(result.clientCpu),
  };
}

function summaryOf(histogram: LogHistogram): Record<string, number> {
  return {
    min: rounded(histogram.minMs),
    mean: rounded(histogram.meanMs),
    p50: rounded(histogram.quantileMs(0.5)),
    p90: rounded(histogram.quantileMs(0.9)),
    p99: rounded(histogram.quantileMs(0.99)),
    p999: rounded(histogram.quantileMs(0.999)),
    max: rounded(histogram.maxMs),
  };
}

/** To a thousandth: microseconds, where it is of milliseconds. */
function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
