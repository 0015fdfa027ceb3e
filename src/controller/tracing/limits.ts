import { invariant } from '../../invariant.js';

/** Limits of tracing. Durations in milliseconds. */
export const tracingLimits = {
  /** Spans that wait to be sent; what comes beyond is dropped. */
  queuedSpansMax: 8_192,
  /** Spans in one request. */
  batchSpansMax: 512,
  /** Spans wait so long for others to go with them. */
  batchMs: 1_000,
  /** A collector has so long to answer. */
  answerMs: 5_000,
  /** Times that a batch is sent before it is dropped. */
  triesMax: 4,
  /** Wait before a batch is sent again: doubles from the first to the second. */
  retryMsMin: 500,
  retryMsMax: 8_000,
  /** At the end what is left has so long to go out. */
  farewellMs: 1_000,
  /** Attempts before the last that have a span of their own, the newest. */
  attemptSpansMax: 20,
} as const;

invariant(
  tracingLimits.batchSpansMax + tracingLimits.attemptSpansMax + 8 < tracingLimits.queuedSpansMax,
  'a batch and the spans of a task fit into the queue',
);
