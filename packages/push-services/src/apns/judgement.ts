import { type EpochMillis, type Millis, type Outcome, seconds } from "@reveille/wakeup";

import { type WireResult } from "../http2/wire.ts";
import { type Judgement, pause, plain, unheard } from "../pool/judgement.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { classOf } from "./reasons.ts";

/** Apple gives no figure for a throttled device; half a minute is what a second push soon after is worth. */
const PAUSE_AFTER_THROTTLE = seconds(30);
/** A 4xx that we have no word for is not cured by trying again soon. */
const PAUSE_AFTER_UNKNOWN = seconds(60);

/** Every fate has a judgement. `apnsId` is the wakeup's own. */
export function judge(result: WireResult, apnsId: string, now: EpochMillis): Judgement {
  switch (result.kind) {
    case "answered":
      return result.status === 200
        ? plain({ kind: "delivered", apnsId })
        : judgeRefusal(readAnswer(result, now));
    case "unprocessed":
      return { ...unheard(result.because), repeatElsewhere: true };
    case "unanswered":
      return unheard(result.because);
  }
}

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
        ...plain({ kind: "rejected", reason, blame: what.blame, ...pause(answer.retryAfter) }),
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
          what.atLast === "module"
            ? { kind: "rejected", reason, blame: "module", ...pause(answer.retryAfter) }
            : unreachable(answer),
        repeatElsewhere: true,
        leaveBecause: reason,
        answer: "denied",
      };
  }
}

function unreachable({ reason, retryAfter }: Answer, otherwise?: Millis): Outcome {
  return { kind: "unreachable", reason, ...pause(retryAfter ?? otherwise) };
}
