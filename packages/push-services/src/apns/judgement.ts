import { type Outcome, seconds } from "@reveille/wakeup";

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
  /** Apple has accepted our credential on this connection. */
  readonly authenticated: boolean;
  /** Apple has answered with a trouble of its own (5xx). */
  readonly serverTrouble: boolean;
}

/** Apple gives no figure for a throttled device; half a minute is what a second push soon after is worth. */
const PAUSE_AFTER_THROTTLE = seconds(30);
/** A 4xx that we have no word for is not cured by trying again soon. */
const PAUSE_AFTER_UNKNOWN = seconds(60);

/** Every fate has a judgement. `apnsId` is the wakeup's own. */
export function judge(result: WireResult, apnsId: string): Judgement {
  switch (result.kind) {
    case "answered":
      return judgeAnswer(readAnswer(result.status, result.body, result.retryAfter), apnsId);
    case "unprocessed":
      return {
        ...plain({ kind: "unreachable", reason: result.because }),
        repeatElsewhere: true,
        authenticated: false,
      };
    case "unanswered":
      return { ...plain({ kind: "unreachable", reason: result.because }), authenticated: false };
  }
}

function judgeAnswer(answer: Answer, apnsId: string): Judgement {
  if (answer.status === 200) return plain({ kind: "delivered", apnsId });
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
    case "refused":
      return {
        ...plain({ kind: "rejected", reason, blame: what.blame }),
        authenticated: answer.status !== 403,
      };
    case "server-trouble":
      return { ...plain(unreachable(answer)), authenticated: false, serverTrouble: true };
    case "connection":
      return {
        outcome:
          what.atLast === "module" ? { kind: "rejected", reason, blame: "module" } : unreachable(answer),
        repeatElsewhere: true,
        leaveBecause: reason,
        authenticated: false,
        serverTrouble: false,
      };
  }
}

const plain = (outcome: Outcome): Judgement => ({
  outcome,
  repeatElsewhere: false,
  leaveBecause: undefined,
  authenticated: true,
  serverTrouble: false,
});

function unreachable(answer: Answer): Outcome {
  const pause = answer.retryAfter ?? (answer.status < 500 ? PAUSE_AFTER_UNKNOWN : undefined);
  const { reason } = answer;
  return { kind: "unreachable", reason, ...(pause === undefined ? {} : { retryAfter: pause }) };
}
