import { headerOf, type PushRequest } from "../push-request.ts";
import { type Refusal, refuse } from "../refusal.ts";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LONGEST_COLLAPSE_ID = 64;
const PUSH_TYPES = new Set([
  "alert",
  "background",
  "complication",
  "controls",
  "fileprovider",
  "liveactivity",
  "location",
  "mdm",
  "pushtotalk",
  "voip",
  "widgets",
]);

/** The `apns-id` of a request, if it can be one. */
export function apnsIdOf(request: PushRequest): string | undefined {
  const id = headerOf(request, "apns-id");
  return id !== undefined && UUID.test(id) ? id : undefined;
}

/** Step 5: the other `apns-*` headers, each with its own reason. */
export function refuseHeaders(request: PushRequest): Refusal | undefined {
  if (headerOf(request, "apns-id") !== undefined && apnsIdOf(request) === undefined) {
    return refuse("BadMessageId");
  }
  const expiration = headerOf(request, "apns-expiration");
  if (expiration !== undefined && !/^\d{1,12}$/.test(expiration)) return refuse("BadExpirationDate");
  const type = headerOf(request, "apns-push-type");
  const priority = headerOf(request, "apns-priority");
  if (priority !== undefined && !["1", "5", "10"].includes(priority)) return refuse("BadPriority");
  // "Specifying priority 10 for background notifications is an error"; a missing one is let pass.
  if (type === "background" && priority === "10") return refuse("BadPriority");
  if (type !== undefined && !PUSH_TYPES.has(type)) return refuse("InvalidPushType");
  const collapseId = headerOf(request, "apns-collapse-id");
  if (collapseId !== undefined && Buffer.byteLength(collapseId) > LONGEST_COLLAPSE_ID) {
    return refuse("BadCollapseId");
  }
  return undefined;
}
