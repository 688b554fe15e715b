/** Answers of FCM that are none of its own making ("ErrorCode", FCM HTTP v1). */
export type FcmErrorCode =
  | "UNREGISTERED"
  | "INVALID_ARGUMENT"
  | "SENDER_ID_MISMATCH"
  | "QUOTA_EXCEEDED"
  | "UNAVAILABLE"
  | "INTERNAL"
  | "THIRD_PARTY_AUTH_ERROR";

/** What is answered in place of 200. */
export interface FcmRefusal {
  readonly status: number;
  /** Google's canonical code, e.g. `NOT_FOUND`. */
  readonly code: string;
  readonly message: string;
  readonly details: readonly object[];
  /** Header Retry-After: seconds or a date. */
  readonly retryAfter?: number | string;
}

const CANONICAL: Readonly<Record<FcmErrorCode, readonly [number, string, string]>> = {
  UNREGISTERED: [404, "NOT_FOUND", "Requested entity was not found."],
  INVALID_ARGUMENT: [400, "INVALID_ARGUMENT", "Request contains an invalid argument."],
  SENDER_ID_MISMATCH: [403, "PERMISSION_DENIED", "SenderId mismatch"],
  QUOTA_EXCEEDED: [429, "RESOURCE_EXHAUSTED", "Quota exceeded."],
  UNAVAILABLE: [503, "UNAVAILABLE", "The service is currently unavailable."],
  INTERNAL: [500, "INTERNAL", "Internal error encountered."],
  THIRD_PARTY_AUTH_ERROR: [401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service"],
};

export const ERROR_CODES = Object.keys(CANONICAL);

export const isErrorCode = (text: string): text is FcmErrorCode => Object.hasOwn(CANONICAL, text);

/** The refusal that FCM gives with this code. */
export function refusalOf(errorCode: FcmErrorCode): FcmRefusal {
  const [status, code, message] = CANONICAL[errorCode];
  const detail = { "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", errorCode };
  return { status, code, message, details: [detail] };
}

/** A mistake in this field of the request. */
export function invalidArgument(field: string, description: string): FcmRefusal {
  const refusal = refusalOf("INVALID_ARGUMENT");
  const violations = {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    fieldViolations: [{ field, description }],
  };
  return { ...refusal, message: description, details: [...refusal.details, violations] };
}

export const UNAUTHENTICATED: FcmRefusal = {
  status: 401,
  code: "UNAUTHENTICATED",
  message: "Request had invalid authentication credentials.",
  details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "ACCESS_TOKEN_EXPIRED" }],
};

export const FORBIDDEN: FcmRefusal = {
  status: 403,
  code: "PERMISSION_DENIED",
  message: "Permission 'cloudmessaging.messages.create' denied on resource",
  details: [],
};
