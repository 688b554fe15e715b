import { type WakeupQueue } from "@reveille/queue";
import {
  type CountedBatch,
  type DomainRecord,
  type PublishResult,
  type Verdict,
  type Wakeup,
} from "@reveille/wakeup";

/** What ingress needs of admission. */
export interface AdmissionPort {
  /**
   * One verdict per wakeup, in the same order; what is told `later` is durable by then. `senders` are the
   * domains that published, at the same places: for limits per domain, and for nothing else.
   * Rejects soon when it cannot decide; may be asked again about the same wakeups then.
   */
  readonly decide: (wakeups: readonly Wakeup[], senders: readonly string[]) => Promise<readonly Verdict[]>;
}

/**
 * What ingress needs of the queue: with an id, repeating `add` does not add twice; `replicate` covers the verdicts of
 * micro-batches that add nothing.
 */
export type QueuePort = Pick<WakeupQueue, "add"> & Partial<Pick<WakeupQueue, "newBatchId" | "replicate">>;

/** What an operator lets a domain publish: nothing, so much, or (`undefined`) as much as it wants. */
export type SenderLimit = "blocked" | { readonly perSecond: number; readonly burst: number } | undefined;

/** What a sending domain hears at once, without admission: the operator's rules as far as they are known here. */
export type SenderRefusal = Extract<PublishResult, "blocked" | "over-limit">;

/** The counts of sending domains that all ingresses of the region keep together. */
export interface RegionCountsPort {
  /** One that is offered again adds nothing if it was added before. */
  readonly add: (batch: CountedBatch) => Promise<void>;
  readonly of: (domain: string) => Promise<DomainRecord | "no-room">;
}

/** How the region is behind its ingresses: pushes leave; publishes are accepted and pushes leave later; publishes are held. */
export type RegionState = "ready" | "delayed" | "holding";
