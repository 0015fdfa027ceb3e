/** Upper end of the first bucket, milliseconds. */
const leastMs = 1e-3;
/** Each bucket ends 1.9 % above the one before: a quantile is off by 1 % at most. */
export const bucketsPerDecade = 120;
/** From 1 µs to 27 h. */
const decades = 11;
const bucketCount = decades * bucketsPerDecade + 1;

/**
 * Durations by size, in 10 KB however many there are. Buckets grow by a constant factor, so that short
 * and long ones are told apart equally well.
 *
 * Source: Tene, HdrHistogram, https://hdrhistogram.github.io/HdrHistogram/
 */
export class LogHistogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sumMs = 0;
  #minMs = Number.POSITIVE_INFINITY;
  #maxMs = 0;

  /** @param ms anything below 0 counts as 0 */
  observe(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = this.countOf(bucket) + 1;
    this.#count++;
    this.#sumMs += Math.max(0, ms);
    this.#minMs = Math.min(this.#minMs, Math.max(0, ms));
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  get count(): number {
    return this.#count;
  }

  /** 0 when there is none; so are the others. */
  get minMs(): number {
    return this.#count === 0 ? 0 : this.#minMs;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  get meanMs(): number {
    return this.#count === 0 ? 0 : this.#sumMs / this.#count;
  }

  /**
   * The duration that this share of all does not exceed, by nearest rank, to 1 %.
   *
   * @param share from 0 to 1
   */
  quantileMs(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count));
    if (rank >= this.#count) return this.maxMs;
    let seen = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.countOf(bucket);
      if (seen < rank) continue;
      const middleMs = endMs(bucket) / 10 ** (0.5 / bucketsPerDecade);
      return Math.min(this.maxMs, Math.max(this.minMs, middleMs));
    }
    return this.maxMs;
  }

  /** How many fell into a bucket. */
  countOf(bucket: number): number {
    return this.#counts[bucket] ?? 0;
  }

  /** Every bucket that something fell into, with its upper end. */
  *buckets(): Generator<{ toMs: number; count: number }> {
    for (const [bucket, count] of this.#counts.entries()) {
      if (count > 0) yield { toMs: endMs(bucket), count };
    }
  }
}

/** The bucket of a duration; the last one also takes what is longer. */
export function bucketOf(ms: number): number {
  if (!(ms > leastMs)) return 0;
  return Math.min(bucketCount - 1, Math.ceil(Math.log10(ms / leastMs) * bucketsPerDecade));
}

/** The upper end of a bucket, milliseconds. */
export function endMs(bucket: number): number {
  return leastMs * 10 ** (bucket / bucketsPerDecade);
}
