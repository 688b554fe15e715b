import {
  bucketKeyOf,
  type Clock,
  detached,
  redisKeysOf,
  type Region,
  type SecretSource,
} from "@reveille/wakeup";

import { type DomainLimit, draw } from "./domain-limit.ts";

/** Whom a bucket counts together, and how much they may. */
export interface LimitedSenders {
  /** A domain, or a pattern. */
  readonly name: string;
  readonly limit: DomainLimit;
}

/** A bucket that the whole region shares. */
export interface SharedBucket {
  /** Its Redis key. */
  readonly key: string;
  readonly limit: DomainLimit;
}

interface LocalBucket {
  /** By the monotonic clock. */
  fullAt: number;
  readonly shared: SharedBucket;
}

export interface LocalBucketsOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly region: Region;
  readonly secret: SecretSource;
}

/** Most buckets in memory. */
const MOST_BUCKETS = 10_000;

/** A bucket of this process for each name, with the name of the shared one. */
export class LocalBuckets {
  readonly #options: LocalBucketsOptions;
  readonly #buckets = new Map<string, LocalBucket>();

  constructor(options: LocalBucketsOptions) {
    this.#options = options;
  }

  /** Takes a token, if there is one. */
  draws(senders: LimitedSenders): boolean {
    const bucket = this.#bucketOf(senders);
    const { given, fullAt } = draw(bucket.fullAt, this.#options.clock.monotonic(), senders.limit, 1);
    bucket.fullAt = fullAt;
    return given > 0;
  }

  sharedBy(senders: LimitedSenders): SharedBucket {
    return this.#bucketOf(senders).shared;
  }

  #bucketOf({ name, limit }: LimitedSenders): LocalBucket {
    const known = this.#buckets.get(name);
    if (known !== undefined && isSame(known.shared.limit, limit)) return known;
    if (this.#buckets.size >= MOST_BUCKETS) this.#forgetHalf();
    const { region, secret } = this.#options;
    // Another limit is another bucket: an old one could be in debt for hours by the measure of the new one.
    const key = redisKeysOf(region).bucket(bucketKeyOf(secret, `${name} ${limit.perSecond} ${limit.burst}`));
    const bucket = { fullAt: 0, shared: { key, limit } };
    this.#buckets.set(detached(name), bucket);
    return bucket;
  }

  /** The older half; nobody gains much by it, since the shared buckets remain. */
  #forgetHalf(): void {
    for (const name of this.#buckets.keys()) {
      if (this.#buckets.size <= MOST_BUCKETS / 2) return;
      this.#buckets.delete(name);
    }
  }
}

/** By value: whoever is asked for a limit may make it anew each time. */
const isSame = (one: DomainLimit, other: DomainLimit): boolean =>
  one.perSecond === other.perSecond && one.burst === other.burst;
