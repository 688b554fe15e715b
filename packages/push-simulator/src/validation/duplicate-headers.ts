import { type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";

/** Step 2: no `apns-*` header twice, nor `authorization`. */
export function refuseDuplicateHeaders(request: PushRequest): Refusal | undefined {
  const { rawHeaders } = request;
  const seen: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!name.startsWith("apns-") && name !== "authorization") continue;
    if (seen.includes(name)) return refuse("DuplicateHeaders");
    seen.push(name);
  }
  return undefined;
}
