/** How many workers were needed of late: only what is not outdone by something later is kept. */
export interface NeedMemory {
  /** Since when it is known without a gap; undefined: not at all. Monotonic milliseconds. */
  sinceMs: number | undefined;
  /** Falling needs, each later than the one before. */
  peaks: readonly { atMs: number; workers: number }[];
}

export const noNeed: NeedMemory = { sinceMs: undefined, peaks: [] };

/**
 * Takes the need of now, and says the greatest within the last `windowMs`; undefined while that is
 * not known for so long.
 */
export function noteNeed(
  memory: NeedMemory,
  workers: number,
  nowMs: number,
  windowMs: number,
): { memory: NeedMemory; most: number | undefined } {
  const sinceMs = memory.sinceMs ?? nowMs;
  const recent = memory.peaks.filter((peak) => peak.atMs > nowMs - windowMs);
  const peaks = [...recent.filter((peak) => peak.workers > workers), { atMs: nowMs, workers }];
  const most = nowMs - sinceMs >= windowMs ? peaks[0]?.workers : undefined;
  return { memory: { sinceMs, peaks }, most };
}
