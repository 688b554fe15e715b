import { anFcmToken, aToken, aWakeup } from "@reveille/testkit";
import { type Outcome, seconds, type Wakeup } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { anApns, countKinds, whileTimePasses } from "./testing/an-apns.ts";
import { androidWakeups, anFcm } from "./testing/an-fcm.ts";

/** Status and reason of APNs ("Handling notification responses from APNs"), and what proxies and the future may bring. */
const APNS: readonly (readonly [number, string])[] = [
  [400, "BadDeviceToken"],
  [400, "DeviceTokenNotForTopic"],
  [400, "TopicDisallowed"],
  [400, "BadTopic"],
  [400, "MissingTopic"],
  [400, "BadCollapseId"],
  [400, "BadExpirationDate"],
  [400, "BadMessageId"],
  [400, "BadPriority"],
  [400, "InvalidPushType"],
  [400, "DuplicateHeaders"],
  [400, "MissingDeviceToken"],
  [400, "PayloadEmpty"],
  [400, "IdleTimeout"],
  [403, "ExpiredProviderToken"],
  [403, "InvalidProviderToken"],
  [403, "MissingProviderToken"],
  [403, "BadEnvironmentKeyIdInToken"],
  [403, "BadCertificate"],
  [403, "BadCertificateEnvironment"],
  [403, "UnrelatedKeyIdInToken"],
  [403, "Forbidden"],
  [404, "BadPath"],
  [405, "MethodNotAllowed"],
  [410, "Unregistered"],
  [410, "ExpiredToken"],
  [413, "PayloadTooLarge"],
  [429, "TooManyRequests"],
  [429, "TooManyProviderTokenUpdates"],
  [500, "InternalServerError"],
  [503, "ServiceUnavailable"],
  [503, "Shutdown"],
  [400, "NewReason"],
  [403, "NewReason"],
  [418, "NewReason"],
  [429, "NewReason"],
  [502, "NewReason"],
];

const error = (status: string, errorCode?: string): string => {
  const details = errorCode === undefined ? [] : [{ "@type": "…FcmError", errorCode }];
  return JSON.stringify({ error: { status, message: "no", details } });
};
const HTML = "<html><body>no</body></html>";

/** Status and body of FCM ("ErrorCode", FCM HTTP v1), with and without its code. */
const FCM: readonly (readonly [number, string])[] = [
  [400, error("INVALID_ARGUMENT", "INVALID_ARGUMENT")],
  [400, HTML],
  [401, error("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR")],
  [401, error("UNAUTHENTICATED")],
  [401, HTML],
  [403, error("PERMISSION_DENIED", "SENDER_ID_MISMATCH")],
  [403, error("PERMISSION_DENIED")],
  [403, HTML],
  [404, error("NOT_FOUND", "UNREGISTERED")],
  [404, error("NOT_FOUND")],
  [404, HTML],
  [418, HTML],
  [429, error("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")],
  [429, HTML],
  [500, error("INTERNAL", "INTERNAL")],
  [502, HTML],
  [503, error("UNAVAILABLE", "UNAVAILABLE")],
];

type Send = (wakeup: Wakeup) => Promise<Outcome>;

/** The bad device publishes twelve times in a row and then among the healthy ones, as one does whose user is popular. */
async function pushAll(send: Send, bad: Wakeup, healthy: readonly Wakeup[]): Promise<Outcome[]> {
  for (let count = 0; count < 12; count += 1) await send(bad);
  const outcomes = [];
  for (const wakeup of healthy) {
    outcomes.push(send(wakeup));
    await send(bad);
  }
  return Promise.all(outcomes);
}

describe("one device that APNs refuses among ten healthy ones", () => {
  it.each(APNS)("with %i %s: the healthy ones are all pushed, at once", async (status, reason) => {
    await using apns = await anApns();
    const { services, simulator, clock } = apns;
    const bad = aWakeup({ token: aToken(99) });
    simulator.rules.add({ match: { token: bad.token }, fault: { kind: "answer", status, reason } });
    const healthy = Array.from({ length: 10 }, (_, index) => aWakeup({ token: aToken(index) }));
    const outcomes = await whileTimePasses(clock, pushAll(services.send, bad, healthy));
    expect(countKinds(outcomes)).toEqual({ delivered: 10 });
    expect(clock.monotonic()).toBeLessThan(seconds(60));
    expect(
      apns.events.filter(({ kind }) => kind === "breaker-changed" || kind === "endpoint-rest-changed"),
    ).toEqual([]);
  });
});

describe("one device that FCM refuses among ten healthy ones", () => {
  it.each(FCM)("with %i %s: the healthy ones are all pushed, at once", async (status, body) => {
    await using fcm = await anFcm();
    const { services, simulator, clock } = fcm;
    const [bad = aWakeup(), ...healthy] = androidWakeups(11);
    expect(bad.token).toBe(anFcmToken(0));
    simulator.addRule({ token: bad.token, answer: { status, body }, times: 1_000 });
    const outcomes = await whileTimePasses(clock, pushAll(services.send, bad, healthy));
    expect(countKinds(outcomes)).toEqual({ delivered: 10 });
    expect(clock.monotonic()).toBeLessThan(seconds(60));
    expect(simulator.granted()).toBeLessThanOrEqual(2);
    expect(
      fcm.events.filter(({ kind }) => kind === "breaker-changed" || kind === "endpoint-rest-changed"),
    ).toEqual([]);
  });
});
