import { type PublishAnswer } from "@reveille/ingress";
import { formatDuration } from "@reveille/runtime";
import { type CanaryEvent, millis, type Millis } from "@reveille/wakeup";

import { type Delivery } from "./delivery.ts";
import { type CanaryPlan } from "./plan.ts";

/** What one round has shown of one hostname. */
export interface Sight {
  readonly hostname: string;
  readonly answer: PublishAnswer;
  /** Absent: it is not looked at. */
  readonly delivery?: Delivery | undefined;
  /** When the publish left. */
  readonly sentAt: Millis;
}

type Expectation = Pick<CanaryPlan, "token" | "replyWithin">;

/** Whether reply and delivery are as they should be, and if not, why. */
export function judge({ hostname, answer, delivery, sentAt }: Sight, expected: Expectation): CanaryEvent {
  const because = answerTrouble(answer, expected) ?? deliveryTrouble(delivery);
  return {
    kind: "canary-settled",
    hostname,
    ok: because === undefined,
    reply: answer.kind,
    delivery: delivery?.kind ?? "unwatched",
    ...("took" in answer ? { replyTook: answer.took } : {}),
    ...(delivery?.kind === "delivered" ? { deliveryTook: millis(Math.max(0, delivery.at - sentAt)) } : {}),
    ...(because === undefined ? {} : { because }),
  };
}

function answerTrouble(answer: PublishAnswer, { token, replyWithin }: Expectation): string | undefined {
  switch (answer.kind) {
    case "accepted":
      return token === undefined ? "accepted a publish for a node that is no device token" : undefined;
    case "later":
      return `answered to wait: ${answer.condition}`;
    case "forget":
      // What the reply contract says to a node that is no device token.
      return token === undefined && answer.condition === "item-not-found"
        ? undefined
        : `refused the publish: ${answer.condition}`;
    case "none":
      return `no reply within ${formatDuration(replyWithin)}`;
    case "front-failed":
      return `the canary's own front failed: ${answer.because}`;
  }
}

function deliveryTrouble(delivery: Delivery | undefined): string | undefined {
  switch (delivery?.kind) {
    case undefined:
    case "delivered":
      return undefined;
    case "refused":
      return `the push was refused: ${delivery.because}`;
    case "unseen":
      return `no delivery was seen: ${delivery.because}`;
  }
}
