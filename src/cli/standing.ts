import type { MessageOf } from '../wire/messages.js';

/** How the service stands, in one line: queue, slots, and what is missing. */
export function standingText(report: MessageOf<'report'>): string {
  const { ready, missing, pending, running, workers } = report;
  const total = (counts: number[]) => counts.reduce((sum, count) => sum + count, 0);
  const busy = total(workers.map((worker) => worker.busy));
  const slots = total(workers.map((worker) => worker.slots));
  const state = ready ? 'ready' : `not ready (${missing.join('; ')})`;
  return (
    `${state}: ${pending} tasks pending, ${running} running; ` +
    `${busy} of ${slots} slots busy in ${workers.length} workers`
  );
}
