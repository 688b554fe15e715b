/** What a reason of APNs is about, and so what follows from it. */
export type ReasonClass =
  /** The token is gone for good, or (`suspected`) our environment or topic is wrong. */
  | { readonly kind: "token-dead"; readonly proof: "certain" | "suspected" }
  /** This device gets too many pushes. */
  | { readonly kind: "throttled" }
  /** Credential or settings of the module, or this one request, are not accepted. */
  | { readonly kind: "refused"; readonly blame: "module" | "wakeup" }
  /** Apple has trouble of its own. */
  | { readonly kind: "server-trouble" }
  /**
   * Says something about the connection, not about the push, which was not processed: leave the connection and
   * repeat on another. `atLast`: how to take it if that does not help.
   */
  | { readonly kind: "connection"; readonly atLast: "unreachable" | "module" };

const DEAD: ReasonClass = { kind: "token-dead", proof: "certain" };
const DEAD_OR_MISCONFIGURED: ReasonClass = { kind: "token-dead", proof: "suspected" };
const MODULE: ReasonClass = { kind: "refused", blame: "module" };
const WAKEUP: ReasonClass = { kind: "refused", blame: "wakeup" };
const SERVER: ReasonClass = { kind: "server-trouble" };
const CONNECTION: ReasonClass = { kind: "connection", atLast: "unreachable" };
const CONNECTION_OR_MODULE: ReasonClass = { kind: "connection", atLast: "module" };

/**
 * The reasons Apple documents ("Handling notification responses from APNs"). An open set: Apple adds to it, so
 * whatever is not here is judged by its status.
 */
const REASONS: ReadonlyMap<string, ReasonClass> = new Map<string, ReasonClass>([
  ["BadDeviceToken", DEAD_OR_MISCONFIGURED],
  ["DeviceTokenNotForTopic", DEAD_OR_MISCONFIGURED],
  ["TopicDisallowed", MODULE],
  ["BadTopic", MODULE],
  ["MissingTopic", MODULE],
  ["BadCollapseId", WAKEUP],
  ["BadExpirationDate", WAKEUP],
  ["BadMessageId", WAKEUP],
  ["BadPriority", WAKEUP],
  ["InvalidPushType", WAKEUP],
  ["DuplicateHeaders", WAKEUP],
  ["MissingDeviceToken", WAKEUP],
  ["PayloadEmpty", WAKEUP],
  ["IdleTimeout", CONNECTION],
  // The server stops answering a connection on which a token has expired: Pushy's
  // TokenAuthenticationApnsClientHandler closes it for that reason.
  ["ExpiredProviderToken", CONNECTION_OR_MODULE],
  ["UnrelatedKeyIdInToken", CONNECTION_OR_MODULE],
  ["InvalidProviderToken", MODULE],
  ["MissingProviderToken", MODULE],
  ["BadEnvironmentKeyIdInToken", MODULE],
  ["BadCertificate", MODULE],
  ["BadCertificateEnvironment", MODULE],
  ["Forbidden", MODULE],
  ["BadPath", WAKEUP],
  ["MethodNotAllowed", WAKEUP],
  ["Unregistered", DEAD],
  ["ExpiredToken", DEAD],
  ["PayloadTooLarge", WAKEUP],
  ["TooManyRequests", { kind: "throttled" }],
  // Never an occasion to mint a token: it comes from having shown too many of them (Pushy #811).
  ["TooManyProviderTokenUpdates", CONNECTION],
  ["InternalServerError", SERVER],
  ["ServiceUnavailable", SERVER],
  ["Shutdown", CONNECTION],
]);

/**
 * Any status and reason have a class. An unknown reason never costs a token its life: it is a trouble to try
 * again, except 403, which Apple uses for credentials only.
 */
export function classOf(status: number, reason: string): ReasonClass {
  const known = REASONS.get(reason);
  if (known !== undefined) return known;
  if (status === 403) return MODULE;
  if (status === 429) return { kind: "throttled" };
  return SERVER;
}
