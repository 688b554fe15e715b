import { type PublishAnswer } from "@reveille/ingress";
import { aToken } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { type Delivery, deliveryOf } from "./delivery.ts";
import { roundInWords } from "./in-words.ts";
import { judge } from "./judge.ts";

const took = seconds(0.012);
const sentAt = seconds(10);
const ACCEPTED: PublishAnswer = { kind: "accepted", took };
const NO_TOKEN: PublishAnswer = { kind: "forget", took, condition: "item-not-found" };
const DELIVERED: Delivery = { kind: "delivered", at: seconds(10.071) };

interface Seen {
  readonly answer: PublishAnswer;
  readonly delivery?: Delivery;
  /** The canary has none. */
  readonly deviceless?: boolean;
}

const judged = ({ answer, delivery, deviceless = false }: Seen) =>
  judge(
    { hostname: "eu.push.example", answer, delivery, sentAt },
    { token: deviceless ? undefined : aToken(1), replyWithin: seconds(30) },
  );

describe("the verdict on a round", () => {
  it.each<[string, Seen, string]>([
    ["a device whose push is out of sight", { answer: ACCEPTED }, "accepted after 12 ms"],
    [
      "a device that is woken",
      { answer: ACCEPTED, delivery: DELIVERED },
      "accepted after 12 ms; the push service had the push after 71 ms",
    ],
    [
      "a node that is no device token",
      { answer: NO_TOKEN, deviceless: true },
      "answered that the node is no device token, as it should, after 12 ms",
    ],
  ])("is good for %s", (_what, seen, words) => {
    const event = judged(seen);
    expect(event).toMatchObject({ ok: true, reply: seen.answer.kind });
    expect(event).not.toHaveProperty("because");
    expect(roundInWords([event])).toBe(`ok    eu.push.example: ${words}`);
  });

  it.each<[string, Seen, string]>([
    ["a device that is told to be gone", { answer: NO_TOKEN }, "refused the publish: item-not-found"],
    [
      "a hostname that the front does not find",
      { answer: { kind: "forget", took, condition: "remote-server-not-found" }, deviceless: true },
      "refused the publish: remote-server-not-found",
    ],
    [
      "a region that says it takes what is no token",
      { answer: ACCEPTED, deviceless: true },
      "accepted a publish for a node that is no device token",
    ],
    [
      "a region in trouble",
      { answer: { kind: "later", took, condition: "remote-server-timeout" } },
      "answered to wait: remote-server-timeout",
    ],
    ["silence", { answer: { kind: "none" } }, "no reply within 30s"],
    [
      "a front that is away",
      { answer: { kind: "front-failed", because: "ECONNREFUSED" } },
      "the canary's own front failed: ECONNREFUSED",
    ],
    [
      "a push that Apple refuses",
      { answer: ACCEPTED, delivery: { kind: "refused", because: "rejected TopicDisallowed" } },
      "the push was refused: rejected TopicDisallowed",
    ],
    [
      "a push that nobody sends",
      { answer: ACCEPTED, delivery: { kind: "unseen", because: "no worker has told of it within 45s" } },
      "no delivery was seen: no worker has told of it within 45s",
    ],
  ])("is bad for %s", (_what, seen, because) => {
    const event = judged(seen);
    expect(event).toMatchObject({ ok: false, because, delivery: seen.delivery?.kind ?? "unwatched" });
    expect(roundInWords([event])).toBe(`FAIL  eu.push.example: ${because}`);
  });
});

describe("what a worker tells of a canary's push", () => {
  it("counts once nothing follows", () => {
    const at = seconds(1);
    const settled = (kind: "delivered" | "unreachable" | "token-dead", next: "done" | "retry") =>
      deliveryOf({ kind: "settled", outcome: { kind, reason: "Reason" }, next }, at);
    expect(settled("delivered", "done")).toEqual({ kind: "delivered", at });
    expect(settled("unreachable", "retry")).toBeUndefined();
    expect(settled("token-dead", "done")).toEqual({ kind: "refused", because: "token-dead Reason" });
    expect(deliveryOf({ kind: "dropped", because: "covered" }, at)).toBeUndefined();
    expect(deliveryOf({ kind: "dropped", because: "deadline" }, at)).toEqual({
      kind: "refused",
      because: "deadline",
    });
  });
});
