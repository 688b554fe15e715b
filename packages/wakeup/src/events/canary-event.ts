import { type Millis } from "../time.ts";

/** How a hostname answered a canary's publish; `front-failed`: the canary's own front did not take it. */
export type CanaryReply = "accepted" | "later" | "forget" | "none" | "front-failed";

/** What became of the push; `unwatched`: the canary cannot see it. */
export type CanaryDelivery = "delivered" | "refused" | "unseen" | "unwatched";

/** What a canary tells. */
export type CanaryEvent =
  /** One publish to one hostname has come to its end. */
  {
    readonly kind: "canary-settled";
    /** From the configuration. */
    readonly hostname: string;
    /** All that was looked at was as it should be. */
    readonly ok: boolean;
    readonly reply: CanaryReply;
    readonly delivery: CanaryDelivery;
    /** From sending the publish until its reply. */
    readonly replyTook?: Millis;
    /** From sending the publish until the push service had accepted the push. */
    readonly deliveryTook?: Millis;
    /** What was not as it should be; no address, no token. */
    readonly because?: string;
  };
