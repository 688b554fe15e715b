import { type Millis, type Outcome } from "@reveille/wakeup";

/** What the fate of a request means for the wakeup and for the connection it was sent on. */
export interface Judgement {
  /** How to settle the wakeup, unless it is repeated. */
  readonly outcome: Outcome;
  /** The push was not processed for a reason that another connection may not have. */
  readonly repeatElsewhere: boolean;
  /** Why nothing further should be sent on this connection. */
  readonly leaveBecause: string | undefined;
  readonly answer: AnswerKind;
}

/** What the answer says beyond the push itself. */
export type AnswerKind =
  /** The push service has accepted our credential. */
  | "accepted"
  /** It has not (yet). */
  | "denied"
  /** A trouble of its own (5xx). */
  | "trouble"
  /** Nothing: there was none, or one that is not the push service's. */
  | "none";

/** An outcome that says no more than itself. */
export const plain = (outcome: Outcome): Judgement => ({
  outcome,
  repeatElsewhere: false,
  leaveBecause: undefined,
  answer: "accepted",
});

/** There was no answer. */
export const unheard = (reason: string): Judgement => ({
  ...plain({ kind: "unreachable", reason }),
  answer: "none",
});

/** A push that a GOAWAY for this reason, e.g. BadCertificate, has kept from being processed. */
export const judgeRefused = (reason: string): Judgement => ({
  ...plain({ kind: "rejected", reason, blame: "module" }),
  answer: "denied",
});

/** The field of an outcome that says how long to wait, if there is something to say. */
export const pause = (retryAfter: Millis | undefined): { readonly retryAfter?: Millis } =>
  retryAfter === undefined ? {} : { retryAfter };
