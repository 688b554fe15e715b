import { type Millis } from "./time.ts";

/** Admission's answer: may this device be woken now? */
export type Verdict =
  /** Leaves at once, in the batch of this decision. */
  | {
      readonly kind: "now";
      /** The push service has never accepted a push for this device, as far as the region remembers. */
      readonly unproven?: true;
    }
  /** A trailing push is scheduled that leaves after this time; it is already durable. */
  | { readonly kind: "later"; readonly after: Millis }
  /** A push that covers this wakeup is already waiting to leave. */
  | { readonly kind: "merged" }
  /** The push service has told us that this token is gone. */
  | { readonly kind: "dead" }
  /** The sending domain is over its limit. */
  | { readonly kind: "over-limit" }
  /** The device is new, and the budget for new devices of its domain, or of all domains together, is used up. */
  | { readonly kind: "over-budget" };

export type VerdictKind = Verdict["kind"];
