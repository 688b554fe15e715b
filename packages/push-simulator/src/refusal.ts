/**
 * The reasons Apple gives, with their status ("Handling notification responses from APNs"). An open set on
 * Apple's side; these are the ones the simulator finds by itself.
 */
const STATUS = {
  BadCertificate: 403,
  BadCertificateEnvironment: 403,
  BadCollapseId: 400,
  BadDeviceToken: 400,
  BadEnvironmentKeyIdInToken: 403,
  BadExpirationDate: 400,
  BadMessageId: 400,
  BadPath: 404,
  BadPriority: 400,
  BadTopic: 400,
  DeviceTokenNotForTopic: 400,
  DuplicateHeaders: 400,
  ExpiredProviderToken: 403,
  ExpiredToken: 410,
  InvalidProviderToken: 403,
  InvalidPushType: 400,
  MethodNotAllowed: 405,
  MissingDeviceToken: 400,
  MissingProviderToken: 403,
  MissingTopic: 400,
  PayloadEmpty: 400,
  PayloadTooLarge: 413,
  Shutdown: 503,
  TooManyProviderTokenUpdates: 429,
  TooManyRequests: 429,
  TopicDisallowed: 400,
  UnrelatedKeyIdInToken: 403,
  Unregistered: 410,
} as const;

export type Reason = keyof typeof STATUS;

/** Why a push is not accepted. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
  /** Since when a device token is no longer valid, in milliseconds since 1970 (410 only). */
  readonly timestamp?: number;
}

export const refuse = (reason: Reason): Refusal => ({ status: STATUS[reason], reason });
