import { describe, expect, it } from "vitest";

import { type MessageTrace } from "./follow-message.ts";
import { timelineJson, timelineText } from "./timeline.ts";

const token = "ab".repeat(32);

const trace: MessageTrace = {
  sentAt: 1_000,
  published: { at: 1_002.26, id: "1", user: "juliet", node: token, important: true },
  admitted: { kind: "admitted", at: 1_060, fingerprint: "S1mQftkOVj", apnsId: "id", verdict: "now" },
  reply: { at: 1_064, id: "1", from: "eu.push.example", type: "result" },
  proven: "dialback",
  push: {
    token,
    apnsId: "id",
    status: 200,
    reason: undefined,
    payload: { aps: { "mutable-content": 1 } },
    headers: { ":path": `/3/device/${token}` },
    receivedAt: 1_090,
    settledAt: 1_100,
  },
};

describe("the timeline of a message", () => {
  it("is one JSON object with times since the message was sent", () => {
    expect(JSON.parse(timelineJson(trace))).toEqual({
      fingerprint: "S1mQftkOVj",
      verdict: "now",
      senderProvenBy: "dialback",
      timesMs: { sent: 0, published: 2.3, queued: 60, reply: 64, apnsAsked: 90, apnsAccepted: 100 },
      reply: { type: "result", from: "eu.push.example" },
      apns: { status: 200, apnsId: "id", payload: { aps: { "mutable-content": 1 } } },
    });
  });

  it("tells people of the steps in the order in which they happened", () => {
    const steps = timelineText(trace).split("\n");
    expect(steps.map((step) => /● +(\w+)/.exec(step)?.[1])).toEqual(["published", "queued", "reply", "APNs"]);
  });

  it("says how the sender's server has proven its domain", () => {
    expect(timelineText(trace)).toContain("over s2s with TLS, its domain proven by dialback");
    expect(timelineText({ ...trace, proven: undefined })).toMatch(/over s2s with TLS$/m);
  });

  it("shows the device as fingerprint only", () => {
    expect(timelineJson(trace) + timelineText(trace)).not.toContain(token);
  });

  it("has no push for a message that another push covers", () => {
    const { push: _, ...covered } = trace;
    const merged = { ...covered, admitted: { ...trace.admitted, verdict: "merged" } };
    expect(JSON.parse(timelineJson(merged))).not.toHaveProperty("apns");
    expect(timelineText(merged)).toContain("merged");
  });
});
