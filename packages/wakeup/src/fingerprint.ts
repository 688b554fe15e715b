import { hash } from "node:crypto";
import { crc32 } from "node:zlib";

import { type Brand } from "./brand.ts";
import { type DeviceToken } from "./device-token.ts";
import { type PushModule } from "./push-module.ts";

/** 32 bytes of chance that belong to a region; as base64url text. Keys every hash of a token. */
export type RegionSecret = Brand<string, "RegionSecret">;

/** The region secret, or where it is asked for each time, since Redis may come back with another one. */
export type SecretSource = RegionSecret | { readonly current: () => RegionSecret };

/**
 * Keyed hash of a token, 16 characters; the only form of a token that may be logged. So long that no two tokens of a
 * region share one, since a device is found by it.
 */
export type Fingerprint = Brand<string, "Fingerprint">;

/** The fingerprint of a token, then a check sum of the module; names a device in Redis. */
export type DeviceKey = Brand<string, "DeviceKey">;

/** Keyed hash of a sending domain and its limit, 22 characters; names a token bucket in Redis. */
export type BucketKey = Brand<string, "BucketKey">;

/** Keyed hash of a sending domain, 22 characters; names what is counted of it in Redis. */
export type DomainKey = Brand<string, "DomainKey">;

const FINGERPRINT_LENGTH = 16;
const isFingerprint = (text: string): text is Fingerprint => /^[A-Za-z0-9_-]{16}$/.test(text);
const isDeviceKey = (text: string): text is DeviceKey => text.length > FINGERPRINT_LENGTH;
const isBucketKey = (text: string): text is BucketKey => text.length === 22;
const isDomainKey = (text: string): text is DomainKey => text.length === 22;
export const isRegionSecret = (text: string): text is RegionSecret => /^[A-Za-z0-9_-]{43}$/.test(text);

// The secret stands first and the text behind it has no free form (closed alphabets without `|`), so a plain
// SHA-256 is a sound keyed hash here; an HMAC costs five times as much on this path.
const keyed = (secret: SecretSource, text: string): string =>
  hash("sha256", `${typeof secret === "string" ? secret : secret.current()}|${text}`, "base64url");

export function fingerprintOf(secret: SecretSource, token: DeviceToken): Fingerprint {
  const text = keyed(secret, token).slice(0, FINGERPRINT_LENGTH);
  if (isFingerprint(text)) return text;
  throw new Error("a SHA-256 in base64url is shorter than a fingerprint");
}

/** Any text gives a fingerprint or `undefined`, never an exception. */
export const parseFingerprint = (text: string): Fingerprint | undefined =>
  isFingerprint(text) ? text : undefined;

export const deviceKeyOf = (secret: SecretSource, token: DeviceToken, module: PushModule): DeviceKey =>
  deviceKeyFrom(fingerprintOf(secret, token), module);

/** The same, for who has seen the fingerprint in a log and not the token. */
export function deviceKeyFrom(fingerprint: Fingerprint, module: PushModule): DeviceKey {
  // A module is no secret, and there are few: seven characters tell them apart, and Redis keeps the key in 32 bytes.
  const text = `${fingerprint}${crc32(module).toString(36)}`;
  if (isDeviceKey(text)) return text;
  throw new Error("a device key is a fingerprint and more");
}

/** `limited` says who is counted and how much they may, in any form that tells them apart. */
export function bucketKeyOf(secret: SecretSource, limited: string): BucketKey {
  // No token begins so, and the hash is cut, so that a plain SHA-256 is sound for free text as well.
  const text = keyed(secret, `domain ${limited}`).slice(0, 22);
  if (isBucketKey(text)) return text;
  throw new Error("a SHA-256 in base64url is shorter than 22 characters");
}

/** `budgeted` says whose budget for new devices it is and how large, in any form that tells them apart. */
export function budgetKeyOf(secret: SecretSource, budgeted: string): BucketKey {
  return bucketKeyOf(secret, `new ${budgeted}`);
}

/** `domain` in the form under which it is counted. */
export function domainKeyOf(secret: SecretSource, domain: string): DomainKey {
  // As above; no bucket's text begins so.
  const text = keyed(secret, `counts ${domain}`).slice(0, 22);
  if (isDomainKey(text)) return text;
  throw new Error("a SHA-256 in base64url is shorter than 22 characters");
}
