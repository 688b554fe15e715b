import { type SenderSoftware } from "./events/ingress-event.ts";
import { type PublishResult } from "./reply.ts";
import { type EpochMillis, type Millis } from "./time.ts";

/**
 * What is counted of a sending domain: publishes by their result, those with content in clear, and pings to the domain by
 * whether the front could deliver them, as it must deliver replies.
 */
export type Counted = PublishResult | "in-clear" | "reached" | "unreached";

/** What is known of one sending domain. */
export interface DomainRecord {
  /** Publishes of the last hour. */
  readonly count: (what: Counted) => number;
  /** Counts begin here: an hour ago, or when somebody began to count. */
  readonly since: EpochMillis;
  /** Who sent content in clear last, by the shape of its ids. */
  readonly clearSoftware: SenderSoftware | undefined;
}

/** What one process has counted of one domain in a while. */
export interface CountedDomain {
  readonly domain: string;
  readonly counts: ReadonlyMap<Counted, number>;
}

/** What one process has counted in a while. */
export interface CountedBatch {
  /** From 1, one more with each batch of the process. */
  readonly number: number;
  readonly domains: readonly CountedDomain[];
  /** How long ago the while began. */
  readonly begun: Millis;
  /** How long ago it ended. */
  readonly ended: Millis;
  /** Some counts are missing: there were more domains than the process could keep apart. */
  readonly isPartial: boolean;
}
