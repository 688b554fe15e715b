import { type Outcome, type OutcomeKind } from "@reveille/wakeup";

/** The closed set of labels for the open set of reasons that push services give. */
export type ReasonClass =
  | "none"
  | "unregistered"
  | "expired-token"
  | "bad-token"
  | "wrong-topic"
  | "too-many-requests"
  | "provider-token"
  | "certificate"
  | "topic"
  | "forbidden"
  | "payload"
  | "request"
  | "server"
  | "connection"
  | "other";

/** Reasons of push services: Apple's, as of "Handling notification responses from APNs". */
const CLASSES: ReadonlyMap<string, ReasonClass> = new Map([
  ["Unregistered", "unregistered"],
  ["ExpiredToken", "expired-token"],
  ["BadDeviceToken", "bad-token"],
  ["DeviceTokenNotForTopic", "wrong-topic"],
  ["TooManyRequests", "too-many-requests"],
  ["ExpiredProviderToken", "provider-token"],
  ["InvalidProviderToken", "provider-token"],
  ["MissingProviderToken", "provider-token"],
  ["BadEnvironmentKeyIdInToken", "provider-token"],
  ["UnrelatedKeyIdInToken", "provider-token"],
  ["TooManyProviderTokenUpdates", "provider-token"],
  ["BadCertificate", "certificate"],
  ["BadCertificateEnvironment", "certificate"],
  ["TopicDisallowed", "topic"],
  ["BadTopic", "topic"],
  ["MissingTopic", "topic"],
  ["Forbidden", "forbidden"],
  ["PayloadEmpty", "payload"],
  ["PayloadTooLarge", "payload"],
  ["BadCollapseId", "request"],
  ["BadExpirationDate", "request"],
  ["BadMessageId", "request"],
  ["BadPath", "request"],
  ["BadPriority", "request"],
  ["DuplicateHeaders", "request"],
  ["InvalidPushType", "request"],
  ["MethodNotAllowed", "request"],
  ["MissingDeviceToken", "request"],
  ["IdleTimeout", "connection"],
  ["InternalServerError", "server"],
  ["ServiceUnavailable", "server"],
  ["Shutdown", "server"],
  // Google's, as of "ErrorCode", FCM HTTP v1.
  ["UNREGISTERED", "unregistered"],
  ["SENDER_ID_MISMATCH", "wrong-topic"],
  ["INVALID_ARGUMENT", "request"],
  ["QUOTA_EXCEEDED", "too-many-requests"],
  ["RESOURCE_EXHAUSTED", "too-many-requests"],
  ["UNAUTHENTICATED", "provider-token"],
  ["THIRD_PARTY_AUTH_ERROR", "provider-token"],
  ["PERMISSION_DENIED", "forbidden"],
  ["INTERNAL", "server"],
  ["UNAVAILABLE", "server"],
]);

/** Which classes occur with which outcome; others count as `other`. */
const BY_OUTCOME: Readonly<Record<OutcomeKind, readonly ReasonClass[]>> = {
  delivered: ["none"],
  "token-dead": ["unregistered", "expired-token", "bad-token", "wrong-topic", "other"],
  throttled: ["too-many-requests", "other"],
  unreachable: ["server", "connection", "provider-token", "other"],
  rejected: ["provider-token", "certificate", "topic", "forbidden", "payload", "request", "other"],
};

/** Every pair of outcome and reason class that `reasonClass` can give. */
export const outcomeReasons = (): readonly { readonly outcome: string; readonly reason: string }[] =>
  Object.entries(BY_OUTCOME).flatMap(([outcome, reasons]) => reasons.map((reason) => ({ outcome, reason })));

export function reasonClass(outcome: Outcome): ReasonClass {
  if (outcome.kind === "delivered") return "none";
  const found = CLASSES.get(outcome.reason) ?? unlisted(outcome.reason);
  return BY_OUTCOME[outcome.kind].includes(found) ? found : "other";
}

/** Apple's reasons are single words in capitals and small letters; a sentence is our transport's own. */
function unlisted(reason: string): ReasonClass {
  if (/^HTTP 5\d\d$/.test(reason)) return "server";
  return /^[A-Z]\w*$|^HTTP /.test(reason) ? "other" : "connection";
}
