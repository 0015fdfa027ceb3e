import { median } from '../statistics.js';
import type { Point } from './growth.js';

/** How a cost grows where it grows fastest. */
export interface Steepness {
  /** The work before and after. */
  from: number;
  to: number;
  /** The cost after, as a multiple of that before. */
  ratio: number;
  /**
   * log(ratio) / log(to / from): 0 where more work costs nothing more, 1 where the cost grows in
   * proportion, more where it runs away.
   */
  exponent: number;
}

/**
 * The steepest step between two neighbours whose work is not zero; undefined where there are no two.
 * It is of the medians: on a busy machine one round says little.
 */
export function steepest(points: readonly Point[]): Steepness | undefined {
  const positive = points.filter(({ work }) => work > 0);
  let most: Steepness | undefined;
  for (const [index, after] of positive.entries()) {
    const before = positive[index - 1];
    if (!before) continue;
    const ratio = median(after.values) / median(before.values);
    const exponent = Math.log(ratio) / Math.log(after.work / before.work);
    if (!most || exponent > most.exponent) {
      most = { from: before.work, to: after.work, ratio, exponent };
    }
  }
  return most;
}
