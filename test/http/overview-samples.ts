import type { Overview } from '../../src/http/controller-port.js';
import type { QueueOverview, Sample, WorkerReport } from '../../src/wire/reports.js';

/** What a controller may say of itself; tests change what they are about. */

export const wallMs = 1_700_000_000_000;

export function queue(changes: Partial<QueueOverview> = {}): QueueOverview {
  return {
    ...{ type: 'python', paused: false, ready: 0, waiting: 0, running: 0 },
    ...{ workers: 1, slots: 2, readyPerMinute: [] },
    ...changes,
  };
}

export function worker(changes: Partial<WorkerReport> = {}): WorkerReport {
  return {
    ...{ id: 'python-1', type: 'python', slots: 2, busy: 1, pid: 7 },
    ...{ isolation: { level: 'strict', layers: ['seccomp', 'landlock'] }, draining: false },
    ...{ heardAt: wallMs - 500, connectedAt: wallMs - 60_000 },
    ...changes,
  };
}

export function overview(changes: Partial<Overview> = {}): Overview {
  return {
    ...{ at: wallMs, ready: true, draining: false, missing: [] },
    ...{ queues: [queue()], workers: [worker()], absent: [], deadLetters: 0 },
    ...changes,
  };
}

export function sample(at: number): Sample {
  const counts = { ready: 1, waiting: 0, running: 2, slots: 2, submitted: 3 };
  const figures = { finished: { success: 2 }, queuedMsMax: 20.5, queuedMsMean: 10 };
  return { at, types: [{ type: 'python', ...counts, ...figures }] };
}
