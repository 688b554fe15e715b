import { headerOf, type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";

const PREFIX = "/3/device/";

/** The device token of the path, in lower case and otherwise unchecked; "" if the path has none. */
export function targetOf(request: PushRequest): string {
  const path = headerOf(request, ":path") ?? "";
  return path.startsWith(PREFIX) ? path.slice(PREFIX.length).toLowerCase() : "";
}

/** Step 1: method and path. */
export function refuseTarget(request: PushRequest): Refusal | undefined {
  if (headerOf(request, ":method") !== "POST") return refuse("MethodNotAllowed");
  const path = headerOf(request, ":path") ?? "";
  if (path === PREFIX || path === PREFIX.slice(0, -1)) return refuse("MissingDeviceToken");
  return path.startsWith(PREFIX) ? undefined : refuse("BadPath");
}
