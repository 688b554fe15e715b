import { aModule, anFcmToken, aRegionSecret, aToken, aWakeup } from "@reveille/testkit";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  apnsIdOf,
  between,
  deviceKeyFrom,
  deviceKeyOf,
  epochMillis,
  fingerprintOf,
  isPushModule,
  later,
  millis,
  packToken,
  parseDeviceToken,
  parseFingerprint,
  unpackToken,
} from "./index.ts";

describe("a device token", () => {
  it.each([
    ["32 digits", "ab".repeat(16), true],
    ["64 digits", "ab".repeat(32), true],
    ["512 digits", "ab".repeat(256), true],
    ["30 digits", "ab".repeat(15), false],
    ["514 digits", "ab".repeat(257), false],
    ["an odd number of digits", `${"ab".repeat(16)}c`, false],
    ["other letters", "xy".repeat(32), false],
    ["a path", "../".repeat(12), false],
    ["a trailing line break", `${"ab".repeat(32)}\n`, false],
    ["nothing", "", false],
  ])("of %s", (_what, text, accepted) => {
    expect(parseDeviceToken(text) !== undefined).toBe(accepted);
  });

  it("is lowered", () => {
    expect(parseDeviceToken("AB".repeat(32))).toBe("ab".repeat(32));
  });

  it.each([
    ["a registration token of FCM", anFcmToken(), true],
    ["hex", "ab".repeat(32), true],
    ["31 letters", "a".repeat(31), false],
    ["513 letters", "a".repeat(513), false],
    ["a quote", `${"a".repeat(40)}"`, false],
    ["a path", "../".repeat(12), false],
    ["a trailing line break", `${"a".repeat(40)}\n`, false],
  ])("of an FCM module of %s", (_what, text, accepted) => {
    expect(parseDeviceToken(text, "fcm")).toBe(accepted ? text : undefined);
  });

  it("of FCM keeps its capitals, and is none of Apple's", () => {
    expect(parseDeviceToken(anFcmToken(), "fcm")).toBe(anFcmToken());
    expect(parseDeviceToken(anFcmToken())).toBeUndefined();
  });

  it("packed for Redis is the same when unpacked", () => {
    for (const token of [aToken(), anFcmToken(), parseDeviceToken("ab".repeat(40), "fcm")]) {
      expect(token && unpackToken(packToken(token))).toBe(token);
    }
    expect(packToken(aToken())).toMatch(/^[\w-]{43}$/);
    expect(unpackToken("~a b")).toBeUndefined();
  });

  it("is parsed or refused from any text, never with an exception", () => {
    const accepted = (text: string): boolean => {
      const token = parseDeviceToken(text);
      return token === undefined || token === text.toLowerCase();
    };
    expect(() => fc.assert(fc.property(fc.string(), accepted))).not.toThrow();
  });
});

describe("a push module", () => {
  it.each([
    ["monalProdiOS-sandbox", true],
    ["a".repeat(64), true],
    ["a".repeat(65), false],
    ["", false],
    ["a b", false],
    ['a"} 1', false],
    ["a\n", false],
  ])("named %j", (name, accepted) => {
    expect(isPushModule(name)).toBe(accepted);
  });
});

describe("the names of a device", () => {
  const secret = aRegionSecret();

  it("show nothing of the token and differ by region secret", () => {
    const token = aToken();
    expect(fingerprintOf(secret, token)).toMatch(/^[\w-]{16}$/);
    for (let at = 0; at + 4 <= 16; at += 1) {
      expect(token).not.toContain(fingerprintOf(secret, token).slice(at, at + 4));
    }
    expect(fingerprintOf(aRegionSecret("other"), token)).not.toBe(fingerprintOf(secret, token));
  });

  it("are the same for who knows the fingerprint only", () => {
    const fingerprint = fingerprintOf(secret, aToken());
    expect(parseFingerprint(fingerprint)).toBe(fingerprint);
    expect(deviceKeyFrom(fingerprint, aModule())).toBe(deviceKeyOf(secret, aToken(), aModule()));
  });

  it.each(["", "short", `${"a".repeat(16)} `, "a".repeat(17), "äääääääääääääääa"])("are not %j", (text) => {
    expect(parseFingerprint(text)).toBeUndefined();
  });

  it("differ by module in Redis", () => {
    const token = aToken();
    expect(deviceKeyOf(secret, token, aModule("a"))).not.toBe(deviceKeyOf(secret, token, aModule("b")));
  });
});

describe("the apns-id of a wakeup", () => {
  it("is a lower-case UUID, the same for each attempt", () => {
    expect(apnsIdOf(aWakeup())).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(apnsIdOf(aWakeup())).toBe(apnsIdOf(aWakeup({ urgent: false })));
  });

  it("differs between two wakeups of a device", () => {
    expect(apnsIdOf(aWakeup({ receivedAt: epochMillis(1) }))).not.toBe(apnsIdOf(aWakeup()));
  });
});

describe("time", () => {
  it("between two hosts whose clocks differ is never negative", () => {
    expect(between(epochMillis(5), epochMillis(3))).toBe(0);
  });

  it("added stays whole", () => {
    expect(later(epochMillis(5), millis(0.7))).toBe(6);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("refuses a duration of %s", (value) => {
    expect(() => millis(value)).toThrow(RangeError);
  });
});
