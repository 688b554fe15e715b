import { type EpochMillis, type Millis, type Outcome, seconds } from "@reveille/wakeup";

import { type WireResult } from "../http2/wire.ts";
import { type Judgement, pause, plain, unheard } from "../pool/judgement.ts";
import { type FcmAnswer, readFcmAnswer } from "./fcm-answer.ts";

/** Google, "Manage quotas": wait a minute where the answer does not say for how long. */
const PAUSE_AFTER_QUOTA = seconds(60);
/** A refusal that we have no word for is not cured by trying again soon. */
const PAUSE_AFTER_UNKNOWN = seconds(60);

/** What Google, or a proxy before it, says of an access token it does not (or no longer) take. */
export const UNAUTHENTICATED: readonly string[] = ["UNAUTHENTICATED", "HTTP 401"];

/** Every fate has a judgement ("ErrorCode" and "Handle errors", FCM HTTP v1). `id` is the wakeup's own. */
export function judgeFcm(result: WireResult, id: string, now: EpochMillis): Judgement {
  switch (result.kind) {
    case "answered":
      if (result.status === 200) return plain({ kind: "delivered", apnsId: id });
      return refusal(result.status, readFcmAnswer(result, now));
    case "unprocessed":
      return { ...unheard(result.because), repeatElsewhere: true };
    case "unanswered":
      return unheard(result.because);
  }
}

function refusal(status: number, answer: FcmAnswer): Judgement {
  const { reason, blamesToken, retryAfter } = answer;
  if (reason === "UNREGISTERED") return plain({ kind: "token-dead", reason, proof: "certain" });
  // Another project's token, or we are configured for another project.
  if (reason === "SENDER_ID_MISMATCH") return plain({ kind: "token-dead", reason, proof: "suspected" });
  if (status === 400) {
    return blamesToken
      ? plain({ kind: "token-dead", reason, proof: "suspected" })
      : plain({ kind: "rejected", reason, blame: "wakeup" });
  }
  if (status === 401 || status === 403 || status === 404) {
    return {
      ...plain({ kind: "rejected", reason, blame: "module", ...pause(retryAfter) }),
      answer: "denied",
    };
  }
  if (status === 429) {
    return plain({ kind: "throttled", reason, retryAfter: retryAfter ?? PAUSE_AFTER_QUOTA });
  }
  if (status >= 500) return { ...plain(unreachable(reason, retryAfter)), answer: "trouble" };
  return { ...plain(unreachable(reason, retryAfter ?? PAUSE_AFTER_UNKNOWN)), answer: "none" };
}

const unreachable = (reason: string, retryAfter: Millis | undefined): Outcome => ({
  kind: "unreachable",
  reason,
  ...pause(retryAfter),
});
