import { invariant } from '../../../invariant.js';

/** Limits of the Kubernetes manager. Durations in milliseconds. */
export const kubernetesLimits = {
  /** One request to the API server, a watch apart. */
  requestMs: 15_000,
  /** Pods in one page of a list. */
  listPagePods: 500,
  /** The API server ends a watch after so long, in seconds. */
  watchSeconds: 240,
  /** A watch that brings neither events nor bookmarks, of which one comes each minute, is cut. */
  watchSilentMs: 150_000,
  /** All pods are listed again after so long, whatever the watch said. */
  listAgainMs: 300_000,
  /** While the pods have not been seen for so long, nothing is changed. */
  sightMsMax: 20_000,
  /** Wait before the API server is asked again: doubles from the first to the second. */
  retryMsMin: 200,
  retryMsMax: 30_000,
  /** A pod that was made and is in no list for so long is not there. */
  confirmMs: 30_000,
  /** A worker that was connected and is not for so long, while its pod is said to be well. */
  lostMs: 30_000,
  /** A pod that is still there so long after its time to end was over is deleted by force. */
  forceMs: 60_000,
  /** Deletions of one pod are asked for again after so long. */
  deleteAgainMs: 10_000,
} as const;

invariant(
  kubernetesLimits.watchSilentMs < kubernetesLimits.watchSeconds * 1_000,
  'a silent watch is cut before it would end',
);
