import { type Millis } from "./time.ts";

/** Admission's answer: may this device be woken now? */
export type Verdict =
  /** Leaves at once, in the batch of this decision. */
  | { readonly kind: "now" }
  /** A trailing push is scheduled that leaves after this time; it is already durable. */
  | { readonly kind: "later"; readonly after: Millis }
  /** A push that covers this wakeup is already waiting to leave. */
  | { readonly kind: "merged" }
  /** The push service has told us that this token is gone. */
  | { readonly kind: "dead" }
  /** The sending domain is over its limit. */
  | { readonly kind: "over-limit" };

export type VerdictKind = Verdict["kind"];
