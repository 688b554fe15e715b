import { type EpochMillis, type Millis, type PushModule } from "@reveille/wakeup";

/** A fact that is not told by an event but read when somebody asks. Region-wide unless said otherwise. */
export type Reading =
  | {
      readonly kind: "queue";
      readonly waiting: number;
      readonly active: number;
      readonly delayed: number;
      /** Age of the oldest batch in any state, or how long the first trailing push has been due; 0 if there is neither. */
      readonly oldest: Millis;
    }
  /** Devices whose trailing push waits for its time. */
  | { readonly kind: "trailing"; readonly devices: number }
  /** Devices that are dead by the word of the push service. */
  | { readonly kind: "dead"; readonly devices: number }
  /** Publishes that this ingress holds unanswered while Redis is away. */
  | { readonly kind: "held"; readonly publishes: number }
  /** Sending domains of the last two hours at this ingress that its replies reach, and that they do not reach. */
  | { readonly kind: "replies"; readonly reached: number; readonly unreached: number }
  /** Of the Redis that this process writes to. */
  | {
      readonly kind: "redis";
      readonly part: "primary" | "replica";
      readonly memory: { readonly used: number; readonly limit: number };
      readonly replicas: number;
      /** Of the replica that is farthest behind; `undefined` without one. */
      readonly lag: { readonly bytes: number; readonly seconds: number } | undefined;
    }
  /** Sentinels as this host sees them; 0 of 0 where there are none. */
  | { readonly kind: "sentinels"; readonly configured: number; readonly agreeing: number }
  /** Of this front. */
  | {
      readonly kind: "front";
      readonly connections: number;
      readonly unproven: number;
      readonly outbound: number;
      readonly components: number;
      readonly unanswered: number;
      readonly isListening: boolean;
      readonly routed: Readonly<
        Record<"to-component" | "to-peer" | "answered" | "dropped" | "reply-dropped", number>
      >;
    }
  | { readonly kind: "credential"; readonly module: PushModule; readonly expiresAt: EpochMillis };
