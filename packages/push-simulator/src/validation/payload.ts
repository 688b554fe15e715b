import { headerOf, type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";

const MOST_BYTES = 4_096;
const MOST_BYTES_VOIP = 5_120;

/** Step 6: a body, and not too much of it. */
export function refusePayload(request: PushRequest): Refusal | undefined {
  const most = headerOf(request, "apns-push-type") === "voip" ? MOST_BYTES_VOIP : MOST_BYTES;
  if (request.body.length === 0) return refuse("PayloadEmpty");
  return request.body.length > most ? refuse("PayloadTooLarge") : undefined;
}
