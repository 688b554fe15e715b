import { type EpochMillis, type Millis } from "./time.ts";

/**
 * What the push service did with a wakeup. Never an exception. `reason` is text of the push service (an open
 * set): fit for logs, never for a metric label.
 */
export type Outcome =
  | { readonly kind: "delivered"; readonly apnsId: string }
  | {
      readonly kind: "token-dead";
      readonly reason: string;
      /**
       * `certain`: Apple says so for good (410). `suspected`: may also be our mistake (BadDeviceToken). `doubted`: the
       * same, of a device that never had a push, while we have a reason to think that it is our mistake.
       */
      readonly proof: "certain" | "suspected" | "doubted";
      /** Since when the token is no longer valid, by Apple's clock (410 only). */
      readonly since?: EpochMillis;
    }
  /** This device gets too many pushes. */
  | { readonly kind: "throttled"; readonly reason: string; readonly retryAfter: Millis }
  /** Nobody answered, or the answer was a temporary trouble of the push service or the way to it. */
  | { readonly kind: "unreachable"; readonly reason: string; readonly retryAfter?: Millis }
  | {
      readonly kind: "rejected";
      readonly reason: string;
      /** `module`: its credential or settings are refused, for every wakeup. `wakeup`: this request only. */
      readonly blame: "module" | "wakeup";
      /** The push service names a time (`module` only). */
      readonly retryAfter?: Millis;
    };

export type OutcomeKind = Outcome["kind"];
