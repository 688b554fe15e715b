import { type Brand } from "./brand.ts";

/**
 * An APNs device token: lower-case hex, an even number of digits, 32 to 512 of them (Apple: "variable
 * length, do not hard-code their size"). Secret: log its fingerprint only.
 */
export type DeviceToken = Brand<string, "DeviceToken">;

const TOKEN_SHAPE = /^(?:[0-9a-f]{2}){16,256}$/;

/** True for text that already is in the stored form (lower case). */
export const isDeviceToken = (text: string): text is DeviceToken => TOKEN_SHAPE.test(text);

/** Any string gives a token or `undefined`, never an exception. Upper-case hex is lowered. */
export function parseDeviceToken(text: string): DeviceToken | undefined {
  const hex = text.toLowerCase();
  return isDeviceToken(hex) ? hex : undefined;
}
