import { hash } from "node:crypto";

import {
  type DeviceToken,
  epochMillis,
  isPushModule,
  isRegion,
  isRegionSecret,
  parseDeviceToken,
  type PushModule,
  type Region,
  type RegionSecret,
  type Wakeup,
} from "@reveille/wakeup";

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`fixture is no ${what}`);
  return value;
}

/** A device token of 64 digits; the same for the same seed. */
export const aToken = (seed: number | string = 0): DeviceToken =>
  known(parseDeviceToken(hash("sha256", `token ${seed}`, "hex")), "device token");

/** A registration token of FCM, as long as today's are; the same for the same seed. */
export const anFcmToken = (seed: number | string = 0): DeviceToken => {
  const letters = hash("sha512", `token ${seed}`, "base64url");
  return known(
    parseDeviceToken(`${letters.slice(0, 22)}:APA91b${letters}${letters.slice(0, 47)}`, "fcm"),
    "device token",
  );
};

export function aModule(name = "monalProdiOS"): PushModule {
  if (!isPushModule(name)) throw new Error(`fixture is no push module: ${name}`);
  return name;
}

export function aRegion(name = "eu"): Region {
  if (!isRegion(name)) throw new Error(`fixture is no region: ${name}`);
  return name;
}

export function aRegionSecret(seed = "region secret"): RegionSecret {
  const secret = hash("sha256", seed, "base64url");
  if (!isRegionSecret(secret)) throw new Error("fixture is no region secret");
  return secret;
}

/** Name only what the test is about. */
export const aWakeup = (parts: Partial<Wakeup> = {}): Wakeup => ({
  token: aToken(),
  module: aModule(),
  urgent: true,
  receivedAt: epochMillis(Date.UTC(2026, 0, 1)),
  ...parts,
});
