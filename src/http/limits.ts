import { invariant } from '../invariant.js';
import { limits } from '../limits.js';
import { wireLimits } from '../wire/limits.js';

/** Limits of the HTTP daemon. Durations in milliseconds. */
export const httpLimits = {
  /** Connections open at once, on both ports; for a further one the longest idle one is closed. */
  connectionsMax: 16_384,
  /** Open files that are none: as many connections fewer where the limit on them is low. */
  otherFilesMax: 128,
  /**
   * Requests that one connection has sent ahead and that are not answered; further ones are refused.
   * Refusals wait for their turn as well: one that sends twice as many and more ahead is closed.
   */
  requestsAheadMax: 64,
  /** Request line and headers together: a URL of the largest size, and room beside it. */
  headBytesMax: limits.urlBytesMax + 64 * 1024,
  /** Of an id in a path, as it is written there: the longest name of a worker, each unit as nine. */
  pathPartCharactersMax: 9 * 128,
  /** From a connection's first byte to the end of its headers. */
  headReceiveMs: 30_000,
  /** From the end of a request's headers to the end of its body. */
  bodyReceiveMs: 120_000,
  /** Between two looks for connections whose headers are late. */
  headCheckMs: 5_000,
  /** Bodies on their way in, all together; beyond it the one that began first is refused. */
  receivedBytesMax: 256 * 1024 * 1024,
  /** A connection on which nothing is asked is kept for so long. */
  keepAliveMs: 60_000,
  /** Of a body that its answer did not wait for, the rest may come for so long. */
  lingerMs: 10_000,
  /** Batches under way, of all and of one token; of each, lines that have not had their last answer, and their bytes. */
  batchesMax: 32,
  batchesPerTokenMax: 16,
  batchLinesMax: 256,
  batchBytesMax: 16 * 1024 * 1024,
  /** Checks that are being tried, or wait for that, of all and of one token. */
  checksMax: 256,
  checksPerTokenMax: 32,
  /** A batch, or any other answer, of which nobody reads anything for so long ends, with its connection. */
  batchStallMs: 120_000,
  /**
   * Between two looks for connections that take nothing of their answers; where there is no place for
   * others, one of which that is true for so long gives up its own.
   */
  stuckCheckMs: 5_000,
  /** Answers that clients have not read; beyond it the oldest of them goes, with its connection. */
  unsentBytesMax: 512 * 1024 * 1024,
  /** Smaller ones are not counted. */
  unsentBytesCounted: 64 * 1024,
  /**
   * Nesting of a JSON body, the outermost object included, and the values in it. A frame has one
   * level more: what was nested deeper would cost the connection to the controller.
   */
  jsonDepthMax: limits.frameDepthMax - 1,
  jsonValuesMax: 4_096,
  /** Longest text of a problem's `detail`, in UTF-16 units. */
  detailMax: 2_048,
  /** Tasks in a page of a list, where the request does not say. */
  pageTasksDefault: 50,
  /** Runs to come that a schedule shows. */
  upcomingRunsMax: 5,
  /** Values of Host that are remembered as fine; the others are looked at each time. */
  knownHostsMax: 16,
  /** Longest name of a field or parameter that is compared with the known ones, in UTF-16 units. */
  nameMax: 128,

  /** Event streams open at once, of all tasks, of one token and of one task. */
  eventStreamsMax: 1_024,
  eventStreamsPerTokenMax: 512,
  eventStreamsPerTaskMax: 32,
  /** Of an output in one event; as JSON it may be six times as long. */
  eventBytesMax: 16 * 1024,
  /** A comment goes out when nothing else did for so long, for proxies that end quiet connections. */
  keepEventsAliveMs: 15_000,
  /** A client that has not taken an event for so long is cut off. */
  eventStallMs: 60_000,
  /** Between two looks at a list that is followed. */
  listEveryMs: 1_000,
  /** After each look nothing of the kind is asked for so many times as long as it took, and… */
  listRestFactor: 4,
  /** …at most for so long. */
  listRestMsMax: 1_000,
  /** What clients are told to wait before they connect again. */
  eventRetryMs: 1_000,
  /** Between two looks of a stream of overviews at the service. */
  lookMs: 1_000,
  /** So long after a look was asked for it serves other streams: a little less than between two. */
  lookSharedMs: 900,
  /** An overview goes out when none did for so long, whether or not anything is another. */
  overviewMs: 10_000,
  /** Warnings that one overview shows, the most serious. */
  warningsMax: 64,

  /** Wait before the next try to reach the controller: doubles from the first to the second. */
  reconnectMsMin: 50,
  reconnectMsMax: 1_000,
  /** What has broken so many connections by its answer is not asked again. */
  brokenByAnswerMax: 2,
  /** Requests to the controller that are not answered yet; held ones count. */
  requestsMax: 16_384,
  /** Of them, those that are answered when a task is finished: they leave room for quick ones. */
  heldRequestsMax: 12_288,
  /** Tasks that wait for a connection to the controller, or that may have to be sent again. */
  keptBytesMax: 128 * 1024 * 1024,
  /** Bytes that the controller has not read yet; past it new requests are refused. */
  queuedBytesMax: 64 * 1024 * 1024,

  /** How long `/metrics` and its kind wait for the controller's figures. */
  measureWaitMs: 2_000,

  /** After `drainMs`, what is still held has so long to be told that it ends. */
  farewellMs: 1_000,
  /** Shortest token that a token file may hold, in characters. */
  tokenCharactersMin: 16,
  tokenFileCharactersMax: 4 * 1024 * 1024,
  /** Between two looks at the token file: how long a revoked token may still be taken. */
  tokenFileMs: 1_000,
  /** Requests of one address that show no valid token: so many at once, and then so many a second. */
  authFailuresBurst: 100,
  authFailuresPerSecond: 1,
  /** Addresses whose failures are remembered. */
  authFailureAddressesMax: 10_000,
  /** How long a browser stays signed in: what it has then does not open any more. */
  sessionMs: 30 * 24 * 60 * 60 * 1_000,
  /** Longest token that a session is made of: sealed, and as text, it fits into a cookie of 4 KiB. */
  sessionTokenBytesMax: 2_700,
  /** A longer Cookie header is not looked into; UTF-16 units. */
  cookieCharactersMax: 16 * 1024,
  /** Of cookies with the same name, so many are tried. */
  sessionCookiesMax: 4,

  /** Of the page and its assets, compressed ones too: all are kept in memory. */
  pageBytesMax: 32 * 1024 * 1024,
  pageFilesMax: 512,

  /** Refused requests in the audit log: so many at once, and then so many a second. */
  auditLinesBurst: 200,
  auditLinesPerSecond: 1,
  /** Longest path that the audit log shows, in characters. */
  auditPathMax: 256,
} as const;

invariant(
  httpLimits.reconnectMsMin <= httpLimits.reconnectMsMax,
  'waits between tries grow, never shrink',
);
invariant(
  httpLimits.lookSharedMs < httpLimits.lookMs && httpLimits.lookMs < httpLimits.overviewMs,
  'a stream that looks again gets something newer',
);
invariant(
  httpLimits.jsonValuesMax >
    2 * (limits.argsMax + limits.envMax + limits.tagsMax + 2 * limits.filesMax + limits.collectMax),
  'every task that is allowed has fewer values than a body may have',
);
invariant(
  httpLimits.unsentBytesMax >
    6 * (2 * limits.outputBytesMax + limits.collectBytesMax) + limits.frameBytesMax,
  'the largest answer fits, outputs and files written as six characters a byte',
);
invariant(
  httpLimits.receivedBytesMax > 4 * limits.bodyBytesMax,
  'a body that comes fast is hardly ever the one that began first',
);
invariant(
  httpLimits.heldRequestsMax < httpLimits.requestsMax,
  'who waits does not keep out who does not',
);
invariant(
  httpLimits.keptBytesMax + httpLimits.queuedBytesMax < wireLimits.queuedBytesMax,
  'what waited for a connection may all be sent at once when there is one',
);
invariant(
  2 * httpLimits.batchesMax * httpLimits.batchLinesMax <= httpLimits.requestsMax,
  'batches leave room for other requests',
);
invariant(
  httpLimits.batchesPerTokenMax < httpLimits.batchesMax &&
    httpLimits.checksPerTokenMax < httpLimits.checksMax &&
    httpLimits.eventStreamsPerTokenMax < httpLimits.eventStreamsMax,
  'no token keeps all others out',
);
invariant(
  httpLimits.batchesPerTokenMax < httpLimits.checksPerTokenMax,
  'the batches of a token, each of which has one check tried at a time, do not take up its share',
);
invariant(
  limits.bodyBytesMax <= httpLimits.batchBytesMax,
  'the longest line of a batch can be on its way together with others',
);
invariant(
  limits.bodyBytesMax < limits.frameBytesMax,
  'a task that fits into a body fits into a frame: MessagePack is never longer than JSON',
);
