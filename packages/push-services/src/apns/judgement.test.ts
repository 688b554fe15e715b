import { aToken } from "@reveille/testkit";
import { epochMillis, type Outcome, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type WireResult } from "../http2/wire.ts";
import { judge } from "./judgement.ts";

/** 30 Nov 2026 12:00:00 UTC. */
const NOW = epochMillis(1_796_040_000_000);
const answered = (status: number, body: string, retryAfter?: string): WireResult => ({
  kind: "answered",
  status,
  body,
  retryAfter,
});
const refusal = (status: number, reason: string, more: object = {}): WireResult =>
  answered(status, JSON.stringify({ reason, ...more }));

const dead = (reason: string): Outcome => ({ kind: "token-dead", reason, proof: "certain" });
const suspected = (reason: string): Outcome => ({ kind: "token-dead", reason, proof: "suspected" });
const ofModule = (reason: string): Outcome => ({ kind: "rejected", reason, blame: "module" });
const ofWakeup = (reason: string): Outcome => ({ kind: "rejected", reason, blame: "wakeup" });

describe("an answer of Apple", () => {
  it.each<[number, string, (reason: string) => Outcome]>([
    [400, "BadDeviceToken", suspected],
    [400, "DeviceTokenNotForTopic", suspected],
    [400, "TopicDisallowed", ofModule],
    [400, "BadTopic", ofModule],
    [400, "MissingTopic", ofModule],
    [400, "BadCollapseId", ofWakeup],
    [400, "BadExpirationDate", ofWakeup],
    [400, "BadMessageId", ofWakeup],
    [400, "BadPriority", ofWakeup],
    [400, "InvalidPushType", ofWakeup],
    [400, "DuplicateHeaders", ofWakeup],
    [400, "MissingDeviceToken", ofWakeup],
    [400, "PayloadEmpty", ofWakeup],
    [403, "InvalidProviderToken", ofModule],
    [403, "MissingProviderToken", ofModule],
    [403, "BadEnvironmentKeyIdInToken", ofModule],
    [403, "BadCertificate", ofModule],
    [403, "BadCertificateEnvironment", ofModule],
    [403, "Forbidden", ofModule],
    [403, "SomethingNew", ofModule],
    [404, "BadPath", ofWakeup],
    [405, "MethodNotAllowed", ofWakeup],
    [410, "Unregistered", dead],
    [410, "ExpiredToken", dead],
    [413, "PayloadTooLarge", ofWakeup],
    [429, "TooManyRequests", (reason) => ({ kind: "throttled", reason, retryAfter: seconds(30) })],
    [500, "InternalServerError", (reason) => ({ kind: "unreachable", reason })],
    [503, "ServiceUnavailable", (reason) => ({ kind: "unreachable", reason })],
    // Never the death of a token, whatever the status: Apple adds reasons without notice.
    [400, "SomethingNew", (reason) => ({ kind: "unreachable", reason, retryAfter: seconds(60) })],
    [410, "SomethingNew", (reason) => ({ kind: "unreachable", reason, retryAfter: seconds(60) })],
  ])("%i %s settles the wakeup and keeps the connection", (status, reason, outcome) => {
    expect(judge(refusal(status, reason), "id", NOW)).toMatchObject({
      outcome: outcome(reason),
      repeatElsewhere: false,
      leaveBecause: undefined,
    });
  });

  it.each<[number, string, (reason: string) => Outcome]>([
    [400, "IdleTimeout", (reason) => ({ kind: "unreachable", reason })],
    [403, "ExpiredProviderToken", ofModule],
    [403, "UnrelatedKeyIdInToken", ofModule],
    [429, "TooManyProviderTokenUpdates", (reason) => ({ kind: "unreachable", reason })],
    [503, "Shutdown", (reason) => ({ kind: "unreachable", reason })],
  ])("%i %s sends the push to another connection and leaves this one", (status, reason, outcome) => {
    expect(judge(refusal(status, reason), "id", NOW)).toEqual({
      outcome: outcome(reason),
      repeatElsewhere: true,
      leaveBecause: reason,
      answer: "denied",
    });
  });

  it("200 is a delivery, whatever the body", () => {
    expect(judge(answered(200, "{"), "id", NOW).outcome).toEqual({ kind: "delivered", apnsId: "id" });
  });

  it("410 tells since when the token is no longer valid", () => {
    const { outcome } = judge(refusal(410, "Unregistered", { timestamp: 1_700_000_000_123 }), "id", NOW);
    expect(outcome).toEqual({ ...dead("Unregistered"), since: 1_700_000_000_123 });
  });

  it.each([
    [403, "InvalidProviderToken", "rejected"],
    [403, "ExpiredProviderToken", "rejected"],
    [429, "TooManyRequests", "throttled"],
    [429, "TooManyProviderTokenUpdates", "unreachable"],
    [500, "InternalServerError", "unreachable"],
    [503, "Shutdown", "unreachable"],
    [418, "SomethingNew", "unreachable"],
  ])("%i %s with a date as Retry-After waits until then", (status, reason, kind) => {
    const until = "Mon, 30 Nov 2026 12:07:00 GMT";
    const { outcome } = judge(answered(status, JSON.stringify({ reason }), until), "id", NOW);
    expect(outcome).toMatchObject({ kind, retryAfter: 420_000 });
  });

  it("with Retry-After is believed, for at most an hour", () => {
    const { outcome } = judge(answered(429, '{"reason":"TooManyRequests"}', "120"), "id", NOW);
    expect(outcome).toMatchObject({ retryAfter: 120_000 });
    expect(judge(answered(503, "", "999999"), "id", NOW).outcome).toMatchObject({ retryAfter: 3_600_000 });
    expect(judge(answered(503, "", "soon"), "id", NOW).outcome).toEqual({
      kind: "unreachable",
      reason: "HTTP 503",
    });
  });

  it("of a proxy is known by its status", () => {
    const { outcome, answer } = judge(answered(502, "<html>/3/device/…</html>"), "id", NOW);
    expect(outcome).toEqual({ kind: "unreachable", reason: "HTTP 502" });
    expect(answer).toBe("trouble");
  });

  it("never carries a device token into the outcome", () => {
    const echoing = [{ reason: aToken() }, { reason: `a${aToken()}` }, { reason: `x ${aToken()}` }, aToken()];
    for (const body of echoing) {
      const { outcome } = judge(answered(400, JSON.stringify(body)), "id", NOW);
      expect(JSON.stringify(outcome)).not.toContain(aToken().slice(0, 16));
    }
  });

  it("of any kind has an outcome", () => {
    const judged = (status: number, body: string, retryAfter: string | undefined): boolean =>
      judge(answered(status, body, retryAfter), "id", NOW).outcome.kind !== undefined;
    const bodies = fc.oneof(fc.string(), fc.json());
    const pauses = fc.option(fc.string(), { nil: undefined });
    expect(() =>
      fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), bodies, pauses, judged)),
    ).not.toThrow();
  });
});

describe("a request without an answer", () => {
  it("is repeated if it was provably not processed", () => {
    expect(judge({ kind: "unprocessed", because: "refused" }, "id", NOW)).toEqual({
      outcome: { kind: "unreachable", reason: "refused" },
      repeatElsewhere: true,
      leaveBecause: undefined,
      answer: "none",
    });
  });

  it("goes back to the queue if its fate is unknown", () => {
    expect(judge({ kind: "unanswered", because: "no answer within 10 s" }, "id", NOW).repeatElsewhere).toBe(
      false,
    );
  });
});
