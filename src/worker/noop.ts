import type { Waiting } from './queue.js';
import { type Run, type RunEvents, unrun } from './slots.js';

/** A run of the `noop` type: succeeds at once with empty output, without a process. */
export function noopRun(waiting: Waiting, events: RunEvents, nowMs: () => number): Run {
  return {
    begin: () => {
      events.onStarted();
      events.onEnd(unrun({ outcome: 'success' }, nowMs() - waiting.receivedAtMs));
    },
    end: () => undefined,
    outputs: () => ({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }),
  };
}
