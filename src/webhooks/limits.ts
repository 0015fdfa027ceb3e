import { invariant } from '../invariant.js';
import { webhookShapeLimits } from '../webhook.js';

/** Limits of telling webhooks. Durations in milliseconds. */
export const webhookLimits = {
  /** Attempts under way at once, and of them to one receiver (scheme, host and port). */
  flyingMax: 64,
  flyingPerOriginMax: 4,
  /** Deliveries that wait in memory; further ones wait in the store. */
  waitingMax: 50_000,
  waitingPerOriginMax: 1_000,
  /** Between two looks at all that the store has due; what becomes due is looked for each second. */
  rescanMs: 60_000,

  /** One attempt: from the look-up of the name to the head of the answer. */
  attemptMs: 15_000,
  /** Of an answer whose head is there, to the end of its body; then the connection is cut. */
  answerBodyMs: 2_000,
  answerBodyBytesMax: 64 * 1024,
  answerHeadBytesMax: 16 * 1024,

  /** A delivery is given up after so many attempts, or when it is so old. */
  triesMax: 16,
  ageMsMax: 24 * 60 * 60 * 1000,
  /** Bound of the first wait, doubled for each further one, and where the doubling ends. */
  backoffBaseMs: 10_000,
  backoffCapMs: 3 * 60 * 60 * 1000,
  /** Longest Retry-After that is heeded. */
  retryAfterMsMax: 3 * 60 * 60 * 1000,
  /**
   * What is due later than that from now is due at once: the wall clock was ahead when it was noted.
   * Longer than any wait, or one that is set back a little would make an attempt too early.
   */
  aheadMsMax: 4 * 60 * 60 * 1000,

  /** Of what is sent: of stdout and stderr, each. */
  outputBytesMax: 32 * 1024,
  /** Of an exception, as JSON; a longer one is left out. */
  exceptionCharactersMax: 64 * 1024,
  /** The newest attempts of the task. */
  attemptsMax: 10,

  /** Secrets in webhookSecretFile: two while one takes the other's place. */
  secretsMax: 4,
  /** Names and ranges in webhookAllow. */
  allowMax: 1_024,

  /** Of the process that sends. */
  heapMiB: 128,
  /** Half of them may look up names at once: libuv's rule for what may take long. */
  threads: 128,
  /** Without anything to send for so long it ends. */
  idleMs: 60_000,
  /** Wait before one that died is started again: doubles from the first to the second. */
  restartMsMin: 100,
  restartMsMax: 10_000,
} as const;

invariant(
  webhookLimits.threads >= 2 * webhookLimits.flyingMax,
  'names that are not answered keep nobody else from looking up theirs',
);
invariant(
  webhookLimits.flyingPerOriginMax < webhookLimits.flyingMax,
  'one receiver cannot take up every attempt',
);
invariant(
  webhookLimits.aheadMsMax > Math.max(webhookLimits.backoffCapMs, webhookLimits.retryAfterMsMax),
  'no wait is taken for the mistake of a clock',
);
invariant(
  webhookShapeLimits.attemptsKeptMax >= webhookLimits.triesMax,
  'the log has every attempt of one delivery',
);
