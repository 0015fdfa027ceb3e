import { invariant } from './invariant.js';

/**
 * Counts observations by size. Everything is allocated at the start: to observe costs a search of
 * the bounds and two additions.
 */
export class Histogram {
  /** Upper ends of the buckets, inclusive, ascending. What is beyond the last has a bucket too. */
  readonly bounds: readonly number[];
  /** One for each bound and one more; not cumulative. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    const ascending = bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] as number));
    invariant(ascending, 'the bounds of a histogram ascend');
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    counts[bucket] = (counts[bucket] as number) + 1;
    this.sum += value;
  }
}
