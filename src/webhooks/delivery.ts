import { retryDelayMs } from '../backoff.js';
import { type Delivery, type DeliveryAttempt, webhookShapeLimits } from '../webhook.js';
import { webhookLimits } from './limits.js';
import type { Answer } from './post.js';

/** One attempt as it went. */
export interface Attempted extends Answer {
  at: number;
  durationMs: number;
}

/**
 * What an attempt makes of a delivery: delivered, due again, or given up. Pure.
 *
 * @param now milliseconds since 1970-01-01 UTC
 * @param random evenly distributed over [0, 1)
 */
export function attempted(
  delivery: Delivery,
  { at, durationMs, status, error, retryAfterMs = 0, final }: Attempted,
  now: number,
  random: () => number,
): Delivery {
  const attempt: DeliveryAttempt = { at, durationMs: Math.round(durationMs) };
  if (status !== undefined) attempt.status = status;
  if (error !== undefined) attempt.error = error.slice(0, webhookShapeLimits.errorCharactersMax);
  const { finishedAt, since } = delivery;
  const tries = delivery.tries + 1;
  const attempts = [...delivery.attempts, attempt].slice(-webhookShapeLimits.attemptsKeptMax);
  const next = { finishedAt, since, tries, attempts };
  if (error === undefined) return { ...next, state: 'delivered' };
  if (final) return { ...next, state: 'failed', reason: attempt.error ?? '' };
  if (tries >= webhookLimits.triesMax) {
    return { ...next, state: 'failed', reason: `given up after ${tries} attempts` };
  }
  const { backoffBaseMs: baseMs, backoffCapMs: capMs } = webhookLimits;
  const waitMs = Math.max(retryAfterMs, retryDelayMs({ baseMs, capMs }, tries, random));
  const nextAttemptAt = Math.ceil(now + waitMs);
  if (nextAttemptAt - since > webhookLimits.ageMsMax) {
    const hours = Math.round(webhookLimits.ageMsMax / 3_600_000);
    return { ...next, state: 'failed', reason: `given up after ${hours} hours` };
  }
  return { ...next, state: 'due', nextAttemptAt };
}

/** A delivery that is to be made again, whatever came of it, as if it had just become due. */
export function dueAgain({ finishedAt, attempts }: Delivery, now: number): Delivery {
  return { finishedAt, attempts, state: 'due', since: now, tries: 0, nextAttemptAt: now };
}

/** Whether an attempt is to be made now: its time has come, or it is one that no wait leads to. */
export function isDue({ nextAttemptAt }: Delivery, now: number): boolean {
  if (nextAttemptAt === undefined) return false;
  return nextAttemptAt <= now || nextAttemptAt > now + webhookLimits.aheadMsMax;
}
