import {
  budgetKeyOf,
  type Clock,
  detached,
  type Millis,
  type SecretSource,
  redisKeysOf,
  type Region,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { type DomainLimit } from "./domain-limit.ts";
import { lookupForm } from "./domain-name.ts";
import { STAMP } from "./domain-rules.ts";
import { type LimitedSenders, LocalBuckets, type SharedBucket } from "./local-buckets.ts";
import { type DomainGrouping, registrableDomain } from "./registrable-domain.ts";
import { RuleBook } from "./rule-book.ts";

/** What a domain hears without Redis being asked. */
export type SenderRefusal = "blocked" | "over-limit";

/** What pays for a publish in Redis. */
export interface PaidBy {
  /** The bucket that counts for the region; none for a domain without limit. */
  readonly bucket?: SharedBucket;
  /** Redis key of the budget for new devices; none for a domain that an operator allows everything. */
  readonly budget?: string;
}

/** The limits of sending domains, as one ingress knows them. */
export interface SenderLimits extends AsyncDisposable {
  /**
   * Whether a publish of this domain is refused at once. Each ingress has a bucket of its own for each domain beside the
   * one they share, so a flood costs neither a call of Redis nor a place among the publishes in hand.
   */
  readonly refusal: (sender: string) => SenderRefusal | undefined;
  /** Whether an IQ of this domain that is no publish is refused. Each ingress counts for itself. */
  readonly refusesQuery: (sender: string) => boolean;
  /** What this domain may publish, for those who ask: nothing, so much, or (`undefined`) as much as it wants. */
  readonly limitOf: (sender: string) => "blocked" | DomainLimit | undefined;
  readonly paidBy: (sender: string) => PaidBy;
  /** The name under which this domain counts together with others. */
  readonly payerOf: (sender: string) => string;
}

export interface SenderLimitsOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly secret: SecretSource;
  readonly clock: Clock;
  /** For every domain without a rule, asked each time, as it may change; without one they have no limit. */
  readonly defaultLimit?: () => DomainLimit | undefined;
  /** How many IQs that are no publishes a domain may send to one ingress; without one, any number. */
  readonly queryLimit?: () => DomainLimit | undefined;
  /** The budget of a domain for new devices, see `NewDeviceLimits`; part of the key, as another budget is another one. */
  readonly newDeviceLimit?: () => DomainLimit | undefined;
  /** Default: each domain for itself. */
  readonly grouping?: () => DomainGrouping;
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
/** Most domains whose standing is remembered until the next look. */
const MOST_KNOWN = 10_000;

/** What is known of one sending domain. */
interface Standing {
  readonly payer: string;
  readonly limited: LimitedSenders | "blocked" | undefined;
  readonly budget: string | undefined;
}

class FollowedLimits implements SenderLimits {
  readonly #options: SenderLimitsOptions;
  readonly #buckets: LocalBuckets;
  readonly #queries: LocalBuckets;
  /** By sender, as it was written. Forgotten at each look, so that a changed configuration or rule holds within a second. */
  readonly #known = new Map<string, Standing>();
  #default: DomainLimit | undefined;
  readonly #stop = new AbortController();
  #following: Promise<void> = Promise.resolve();
  /** Of the rules read last; none was read yet: `undefined`. */
  #stamp: string | null | undefined;
  #book = new RuleBook({});

  constructor(options: SenderLimitsOptions) {
    this.#options = options;
    this.#buckets = new LocalBuckets(options);
    this.#queries = new LocalBuckets(options);
  }

  readonly refusal = (sender: string): SenderRefusal | undefined => {
    const { limited } = this.#standingOf(sender);
    if (limited === undefined || limited === "blocked") return limited;
    return this.#buckets.draws(limited) ? undefined : "over-limit";
  };

  readonly refusesQuery = (sender: string): boolean => {
    const limit = this.#options.queryLimit?.();
    return limit !== undefined && !this.#queries.draws({ name: this.payerOf(sender), limit });
  };

  readonly limitOf = (sender: string): "blocked" | DomainLimit | undefined => {
    const { limited } = this.#standingOf(sender);
    return limited === undefined || limited === "blocked" ? limited : limited.limit;
  };

  readonly paidBy = (sender: string): PaidBy => {
    const { limited, budget } = this.#standingOf(sender);
    const bucket =
      limited === undefined || limited === "blocked" ? undefined : this.#buckets.sharedBy(limited);
    return { ...(bucket === undefined ? {} : { bucket }), ...(budget === undefined ? {} : { budget }) };
  };

  readonly payerOf = (sender: string): string => this.#standingOf(sender).payer;

  /** Reads the rules if they have changed. */
  async look(): Promise<void> {
    const { redis, region } = this.#options;
    const key = redisKeysOf(region).domainRules;
    const stamp = await redis.hget(key, STAMP);
    if (stamp !== this.#stamp) {
      this.#book = new RuleBook(await redis.hgetall(key));
      this.#stamp = stamp;
    }
    this.#known.clear();
  }

  follow(): void {
    this.#following = this.#follow();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  #standingOf(sender: string): Standing {
    const limit = this.#options.defaultLimit?.();
    if (limit?.perSecond !== this.#default?.perSecond || limit?.burst !== this.#default?.burst) {
      this.#known.clear();
      this.#default = limit;
    }
    const known = this.#known.get(sender);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const standing = this.#find(sender);
    this.#known.set(detached(sender), standing);
    return standing;
  }

  #find(sender: string): Standing {
    const { defaultLimit, grouping, secret, region, newDeviceLimit } = this.#options;
    const domain = lookupForm(sender);
    const ruled = this.#book.ruleOf(domain);
    const rule = ruled?.rule;
    const own = grouping?.() === "registrable" ? registrableDomain(domain) : domain;
    const payer = rule?.kind === "limited" && ruled !== undefined ? ruled.pattern : own;
    const limit = rule?.kind === "limited" ? rule.limit : rule === undefined ? defaultLimit?.() : undefined;
    const budgeted = rule?.kind === "allowed" ? undefined : newDeviceLimit?.();
    return {
      payer,
      limited: rule?.kind === "blocked" ? "blocked" : limit && { name: payer, limit },
      budget:
        budgeted &&
        redisKeysOf(region).budget(budgetKeyOf(secret, `${payer} ${budgeted.perSecond} ${budgeted.burst}`)),
    };
  }

  async #follow(): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      await clock.sleep(LOOK_EVERY, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      // Whoever owns the connection tells of its troubles.
      await this.look().catch(() => this.#known.clear());
    }
  }
}
