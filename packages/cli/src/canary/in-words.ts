import { type CanaryEvent, type Millis } from "@reveille/wakeup";

/** A round for people, a line for each hostname. */
export const roundInWords = (events: readonly CanaryEvent[]): string => events.map(inWords).join("\n");

function inWords({ hostname, ok, because, reply, replyTook, delivery, deliveryTook }: CanaryEvent): string {
  if (!ok) return `FAIL  ${hostname}: ${because}`;
  const seen = [`${REPLIES[reply]} after ${inMillis(replyTook)}`];
  if (delivery === "delivered") seen.push(`the push service had the push after ${inMillis(deliveryTook)}`);
  return `ok    ${hostname}: ${seen.join("; ")}`;
}

const REPLIES: Readonly<Record<CanaryEvent["reply"], string>> = {
  accepted: "accepted",
  later: "answered to wait",
  forget: "answered that the node is no device token, as it should,",
  none: "no reply",
  "front-failed": "not published",
};

const inMillis = (took: Millis | undefined): string => (took === undefined ? "?" : `${Math.round(took)} ms`);
