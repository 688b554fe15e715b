import { type Brand } from "./brand.ts";

/**
 * Names a device to its push service. An APNs token is lower-case hex, an even number of digits, 32 to 512 of them
 * (Apple: "variable length, do not hard-code their size"); an FCM registration token is 32 to 512 of
 * `A-Z a-z 0-9 _ : -`. Secret: log its fingerprint only.
 */
export type DeviceToken = Brand<string, "DeviceToken">;

/** Whose tokens a module's devices have. */
export type TokenKind = "apns" | "fcm";

const APNS_SHAPE = /^(?:[0-9a-f]{2}){16,256}$/;
const FCM_SHAPE = /^[A-Za-z0-9_:-]{32,512}$/;

/** True for text that already is in the stored form (hex in lower case). */
export const isDeviceToken = (text: string): text is DeviceToken =>
  APNS_SHAPE.test(text) || FCM_SHAPE.test(text);

/** Any string gives a token or `undefined`, never an exception. Upper-case hex of APNs is lowered. */
export function parseDeviceToken(text: string, kind: TokenKind = "apns"): DeviceToken | undefined {
  const stored = kind === "apns" ? text.toLowerCase() : text;
  const shape = kind === "apns" ? APNS_SHAPE : FCM_SHAPE;
  return shape.test(stored) && isDeviceToken(stored) ? stored : undefined;
}

/** Stands before what is no hex; no letter of base64url. */
const AS_IT_IS = "~";

/** For Redis, of `A-Z a-z 0-9 _ : ~ -`: hex becomes base64url, a third shorter. */
export const packToken = (token: DeviceToken): string =>
  APNS_SHAPE.test(token) ? Buffer.from(token, "hex").toString("base64url") : `${AS_IT_IS}${token}`;

/** Any string gives the token it was made from or `undefined`, never an exception. */
export const unpackToken = (text: string): DeviceToken | undefined =>
  text.startsWith(AS_IT_IS)
    ? parseDeviceToken(text.slice(AS_IT_IS.length), "fcm")
    : parseDeviceToken(Buffer.from(text, "base64url").toString("hex"));
