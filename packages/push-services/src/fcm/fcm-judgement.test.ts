import { epochMillis, type Outcome, seconds } from "@reveille/wakeup";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type WireResult } from "../http2/wire.ts";
import { judgeFcm } from "./fcm-judgement.ts";

/** 30 Nov 2026 12:00:00 UTC. */
const NOW = epochMillis(1_796_040_000_000);
const answered = (status: number, body: string, retryAfter?: string): WireResult => ({
  kind: "answered",
  status,
  body,
  retryAfter,
});

/** As Google writes them: a canonical code, FCM's own one in the details, and the fields that are wrong. */
const refusal = (status: string, errorCode?: string, field?: string, message = "no"): string =>
  JSON.stringify({
    error: {
      status,
      message,
      details: [
        ...(errorCode === undefined ? [] : [{ "@type": "…FcmError", errorCode }]),
        ...(field === undefined ? [] : [{ "@type": "…BadRequest", fieldViolations: [{ field }] }]),
      ],
    },
  });

const dead = (reason: string, proof: "certain" | "suspected"): Outcome => ({
  kind: "token-dead",
  reason,
  proof,
});
const rejected = (reason: string, blame: "module" | "wakeup"): Outcome => ({
  kind: "rejected",
  reason,
  blame,
});

describe("an answer of Google", () => {
  it.each<[number, string, Outcome]>([
    [404, refusal("NOT_FOUND", "UNREGISTERED"), dead("UNREGISTERED", "certain")],
    [404, refusal("NOT_FOUND"), rejected("NOT_FOUND", "module")],
    [
      400,
      refusal("INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.token"),
      dead("INVALID_ARGUMENT", "suspected"),
    ],
    [
      400,
      refusal(
        "INVALID_ARGUMENT",
        undefined,
        undefined,
        "The registration token is not a valid FCM registration token",
      ),
      dead("INVALID_ARGUMENT", "suspected"),
    ],
    [
      400,
      refusal("INVALID_ARGUMENT", "INVALID_ARGUMENT", "message.data"),
      rejected("INVALID_ARGUMENT", "wakeup"),
    ],
    [
      400,
      refusal("INVALID_ARGUMENT", undefined, undefined, "Android message is too big"),
      rejected("INVALID_ARGUMENT", "wakeup"),
    ],
    [403, refusal("PERMISSION_DENIED", "SENDER_ID_MISMATCH"), dead("SENDER_ID_MISMATCH", "suspected")],
    [403, refusal("PERMISSION_DENIED"), rejected("PERMISSION_DENIED", "module")],
    [401, refusal("UNAUTHENTICATED"), rejected("UNAUTHENTICATED", "module")],
    [401, refusal("UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), rejected("THIRD_PARTY_AUTH_ERROR", "module")],
    [
      429,
      refusal("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
      { kind: "throttled", reason: "QUOTA_EXCEEDED", retryAfter: seconds(60) },
    ],
    [500, refusal("INTERNAL", "INTERNAL"), { kind: "unreachable", reason: "INTERNAL" }],
    [503, refusal("UNAVAILABLE", "UNAVAILABLE"), { kind: "unreachable", reason: "UNAVAILABLE" }],
    [502, "<html>Bad Gateway</html>", { kind: "unreachable", reason: "HTTP 502" }],
    [418, "", { kind: "unreachable", reason: "HTTP 418", retryAfter: seconds(60) }],
  ])("%i %s is taken for what it is", (status, body, outcome) => {
    expect(judgeFcm(answered(status, body), "id", NOW).outcome).toEqual(outcome);
  });

  it("200 is a delivery, whatever the body", () => {
    expect(judgeFcm(answered(200, "{"), "id", NOW)).toMatchObject({
      outcome: { kind: "delivered", apnsId: "id" },
    });
  });

  it.each([
    ["5", seconds(10)],
    ["90", seconds(90)],
    ["999999", seconds(3_600)],
  ])("with Retry-After %s is believed, within limits", (retryAfter, pause) => {
    const { outcome } = judgeFcm(answered(503, refusal("UNAVAILABLE", "UNAVAILABLE"), retryAfter), "id", NOW);
    expect(outcome).toEqual({ kind: "unreachable", reason: "UNAVAILABLE", retryAfter: pause });
  });

  it.each([
    [401, "rejected"],
    [404, "rejected"],
    [429, "throttled"],
    [500, "unreachable"],
    [503, "unreachable"],
    [418, "unreachable"],
  ])("%i with a date as Retry-After waits until then", (status, kind) => {
    const { outcome } = judgeFcm(answered(status, "", "Monday, 30-Nov-26 12:07:00 GMT"), "id", NOW);
    expect(outcome).toMatchObject({ kind, retryAfter: 420_000 });
  });

  it("of any kind has an outcome, and no reason that could be a token", () => {
    const any = fc.record({
      status: fc.integer({ min: 100, max: 599 }),
      body: fc.oneof(fc.string(), fc.json()),
    });
    fc.assert(
      fc.property(any, ({ status, body }) => {
        const { outcome } = judgeFcm(answered(status, body), "id", NOW);
        expect(outcome.kind === "delivered" ? "" : outcome.reason).toMatch(/^(?:[A-Z_]{0,64}|HTTP \d{3})$/);
      }),
    );
  });
});

describe("a request to Google without an answer", () => {
  it("is repeated if it was provably not processed, and goes back to the queue if not", () => {
    expect(judgeFcm({ kind: "unprocessed", because: "refused" }, "id", NOW)).toMatchObject({
      repeatElsewhere: true,
    });
    expect(judgeFcm({ kind: "unanswered", because: "reset" }, "id", NOW)).toMatchObject({
      outcome: { kind: "unreachable", reason: "reset" },
      repeatElsewhere: false,
    });
  });
});
