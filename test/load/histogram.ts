/** log2 of the buckets per power of two: 64, so a bucket is at most 1.6 % wide. */
const PRECISION = 6;
const LINEAR = 2 ** PRECISION;
const LARGEST = 2 ** 31 - 1;
const BUCKETS = (32 - PRECISION) * LINEAR;

/** Counts durations in buckets of microseconds, so that percentiles need no list of samples. */
export class Histogram {
  readonly #counts: Uint32Array;

  /** `counts` as another histogram gave them, e.g. from another process. */
  constructor(counts: Uint32Array = new Uint32Array(BUCKETS)) {
    if (counts.length !== BUCKETS) throw new Error(`no histogram of ${BUCKETS} buckets`);
    this.#counts = counts;
  }

  /** `duration` in milliseconds; negative ones count as 0, those over 35 minutes as 35 minutes. */
  record(duration: number): void {
    const bucket = bucketOf(Math.min(Math.max(Math.round(duration * 1000), 0), LARGEST));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  get size(): number {
    let size = 0;
    for (const count of this.#counts) size += count;
    return size;
  }

  /** The duration in milliseconds that `share` (0 to 1) of the samples don't exceed; NaN without samples. */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.size));
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return middleOf(bucket) / 1000;
    }
    return Number.NaN;
  }

  /** The counts so far, which are forgotten here. */
  take(): Uint32Array {
    const counts = this.#counts.slice();
    this.#counts.fill(0);
    return counts;
  }
}

function bucketOf(micros: number): number {
  if (micros < LINEAR) return micros;
  const shift = 31 - Math.clz32(micros) - PRECISION;
  return shift * LINEAR + (micros >>> shift);
}

function middleOf(bucket: number): number {
  if (bucket < 2 * LINEAR) return bucket;
  const shift = Math.floor(bucket / LINEAR) - 1;
  const width = 2 ** shift;
  return (bucket - shift * LINEAR) * width + (width - 1) / 2;
}
