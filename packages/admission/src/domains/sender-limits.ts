import {
  type Clock,
  type Millis,
  type RegionSecret,
  redisKeysOf,
  type Region,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type DomainLimit } from "./domain-limit.ts";
import { lookupForm } from "./domain-name.ts";
import { STAMP } from "./domain-rules.ts";
import { LocalBuckets, type SharedBucket } from "./local-buckets.ts";
import { RuleBook } from "./rule-book.ts";

/** What a domain hears without Redis being asked. */
export type SenderRefusal = "blocked" | "over-limit";

/** The limits of sending domains, as one ingress knows them. */
export interface SenderLimits extends AsyncDisposable {
  /**
   * Whether a publish of this domain is refused at once. Each ingress has a bucket of its own for each domain beside the
   * one they share, so a flood costs neither a call of Redis nor a place among the publishes in hand.
   */
  readonly refusal: (sender: string) => SenderRefusal | undefined;
  /** What this domain may publish, for those who ask: nothing, so much, or (`undefined`) as much as it wants. */
  readonly limitOf: (sender: string) => "blocked" | DomainLimit | undefined;
  /** The bucket that counts for the region; none for a domain without limit. */
  readonly bucketOf: (sender: string) => SharedBucket | undefined;
}

export interface SenderLimitsOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly secret: RegionSecret;
  readonly clock: Clock;
  /** For every domain without a rule, asked each time, as it may change; without one they have no limit. */
  readonly defaultLimit?: () => DomainLimit | undefined;
}

/**
 * Resolves with the rules read, and throws what Redis throws; then looks for changed ones every second. While Redis is
 * away the last known hold.
 */
export async function openSenderLimits(options: SenderLimitsOptions): Promise<SenderLimits> {
  const limits = new FollowedLimits(options);
  await limits.look();
  limits.follow();
  return limits;
}

const LOOK_EVERY: Millis = seconds(1);

class FollowedLimits implements SenderLimits {
  readonly #options: SenderLimitsOptions;
  readonly #buckets: LocalBuckets;
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();
  /** Of the rules read last; none was read yet: `undefined`. */
  #stamp: string | null | undefined;
  #book = new RuleBook({});

  constructor(options: SenderLimitsOptions) {
    this.#options = options;
    this.#buckets = new LocalBuckets(options);
  }

  readonly refusal = (sender: string): SenderRefusal | undefined => {
    const limited = this.#limitOf(sender);
    if (limited === undefined || limited === "blocked") return limited;
    return this.#buckets.draws(limited) ? undefined : "over-limit";
  };

  readonly limitOf = (sender: string): "blocked" | DomainLimit | undefined => {
    const limited = this.#limitOf(sender);
    return limited === undefined || limited === "blocked" ? limited : limited.limit;
  };

  readonly bucketOf = (sender: string): SharedBucket | undefined => {
    const limited = this.#limitOf(sender);
    return limited === undefined || limited === "blocked" ? undefined : this.#buckets.sharedBy(limited);
  };

  /** Reads the rules if they have changed. */
  async look(): Promise<void> {
    const { redis, region } = this.#options;
    const key = redisKeysOf(region).domainRules;
    const stamp = await redis.hget(key, STAMP);
    if (stamp === this.#stamp) return;
    this.#book = new RuleBook(await redis.hgetall(key));
    this.#stamp = stamp;
  }

  follow(): void {
    this.#following = this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  #limitOf(sender: string) {
    const defaultLimit = this.#options.defaultLimit?.();
    if (this.#book.isEmpty && defaultLimit === undefined) return undefined;
    const domain = lookupForm(sender);
    const ruled = this.#book.ruleOf(domain);
    if (ruled === undefined) return defaultLimit && { name: domain, limit: defaultLimit };
    const { pattern, rule } = ruled;
    if (rule.kind === "limited") return { name: pattern, limit: rule.limit };
    return rule.kind === "blocked" ? rule.kind : undefined;
  }

  async #follow(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(LOOK_EVERY, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      // Whoever owns the connection tells of its troubles.
      await this.look().catch(() => undefined);
    }
  }
}
