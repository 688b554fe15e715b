import { type Millis, type Outcome, seconds } from "@reveille/wakeup";

import { type WireResult } from "../http2/wire.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { classOf } from "./reasons.ts";

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
  /** Apple has accepted our credential. */
  | "accepted"
  /** It has not (yet). */
  | "denied"
  /** A trouble of its own (5xx). */
  | "trouble"
  /** Nothing: there was none, or one that is not Apple's. */
  | "none";

/** Apple gives no figure for a throttled device; half a minute is what a second push soon after is worth. */
const PAUSE_AFTER_THROTTLE = seconds(30);
/** A 4xx that we have no word for is not cured by trying again soon. */
const PAUSE_AFTER_UNKNOWN = seconds(60);

/** Every fate has a judgement. `apnsId` is the wakeup's own. */
export function judge(result: WireResult, apnsId: string): Judgement {
  switch (result.kind) {
    case "answered":
      return result.status === 200
        ? plain({ kind: "delivered", apnsId })
        : judgeRefusal(readAnswer(result.status, result.body, result.retryAfter));
    case "unprocessed":
      return { ...unheard(result.because), repeatElsewhere: true };
    case "unanswered":
      return unheard(result.because);
  }
}

/** A push that a GOAWAY for this reason, e.g. BadCertificate, has kept from being processed. */
export const judgeRefused = (reason: string): Judgement => ({
  ...plain({ kind: "rejected", reason, blame: "module" }),
  answer: "denied",
});

function judgeRefusal(answer: Answer): Judgement {
  const { reason } = answer;
  const what = classOf(answer.status, reason);
  switch (what.kind) {
    case "token-dead":
      return plain({
        kind: "token-dead",
        reason,
        proof: what.proof,
        ...(answer.since === undefined ? {} : { since: answer.since }),
      });
    case "throttled":
      return plain({ kind: "throttled", reason, retryAfter: answer.retryAfter ?? PAUSE_AFTER_THROTTLE });
    case "refused": {
      const accepted = answer.status !== 403;
      return {
        ...plain({ kind: "rejected", reason, blame: what.blame }),
        answer: accepted ? "accepted" : "denied",
      };
    }
    case "server-trouble":
      return answer.status < 500
        ? { ...plain(unreachable(answer, PAUSE_AFTER_UNKNOWN)), answer: "none" }
        : { ...plain(unreachable(answer)), answer: "trouble" };
    case "connection":
      return {
        outcome:
          what.atLast === "module" ? { kind: "rejected", reason, blame: "module" } : unreachable(answer),
        repeatElsewhere: true,
        leaveBecause: reason,
        answer: "denied",
      };
  }
}

const plain = (outcome: Outcome): Judgement => ({
  outcome,
  repeatElsewhere: false,
  leaveBecause: undefined,
  answer: "accepted",
});

const unheard = (reason: string): Judgement => ({
  ...plain({ kind: "unreachable", reason }),
  answer: "none",
});

function unreachable({ reason, retryAfter }: Answer, otherwise?: Millis): Outcome {
  const pause = retryAfter ?? otherwise;
  return { kind: "unreachable", reason, ...(pause === undefined ? {} : { retryAfter: pause }) };
}
