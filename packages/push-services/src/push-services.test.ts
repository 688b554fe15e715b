import { aModule, aToken, aWakeup } from "@reveille/testkit";
import { apnsIdOf, seconds } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { anApns, whileTimePasses } from "./testing/an-apns.ts";

describe("push services", () => {
  it("deliver a wakeup as an alert that runs the app's notification service extension", async () => {
    await using apns = await anApns({ settings: { custom: { from: "reveille" } } });
    const wakeup = aWakeup();
    expect(await apns.services.send(wakeup)).toEqual({ kind: "delivered", apnsId: apnsIdOf(wakeup) });
    const [push] = apns.simulator.ledger.pushesTo(wakeup.token);
    expect(push?.payload).toEqual({
      aps: { alert: { title: "New Message", body: "New Message?" }, sound: "default", "mutable-content": 1 },
      from: "reveille",
    });
    expect(push?.headers).toMatchObject({
      "apns-topic": "G7YU7X7KRJ.SworIM",
      "apns-push-type": "alert",
      "apns-priority": "10",
      "apns-id": apnsIdOf(wakeup),
      "apns-collapse-id": apnsIdOf(wakeup),
      "apns-expiration": String(Math.floor((apns.clock.now() + 86_400_000) / 1_000)),
    });
  });

  it("say that they are ready once a connection is up", async () => {
    await using apns = await anApns();
    expect(apns.services.health()).toMatchObject([{ health: { kind: "starting" } }]);
    await vi.waitFor(() => expect(apns.services.health()).toMatchObject([{ health: { kind: "ready" } }]));
  });

  it("refuse a module they do not know", async () => {
    await using apns = await anApns();
    expect(await apns.services.send(aWakeup({ module: aModule("other") }))).toEqual({
      kind: "rejected",
      reason: "module not configured",
      blame: "module",
    });
  });
});

describe("a cold burst", () => {
  it("of 300 is delivered whole though Apple allows one stream at first", async () => {
    await using apns = await anApns();
    const wakeups = Array.from({ length: 300 }, (_, seed) => aWakeup({ token: aToken(seed) }));
    const outcomes = await Promise.all(wakeups.map(apns.services.send));
    expect(outcomes.filter(({ kind }) => kind === "delivered")).toHaveLength(300);
    expect(apns.simulator.stats().excessStreams).toBe(0);
  });
});

describe("GOAWAY", () => {
  it.each([{ double: false }, { double: true }])(
    "%o with 50 in flight costs none of them",
    async ({ double }) => {
      await using apns = await anApns({ simulator: { behaviour: { latency: { kind: "fixed", ms: 100 } } } });
      await apns.services.send(aWakeup());
      const wakeups = Array.from({ length: 50 }, (_, seed) => aWakeup({ token: aToken(seed + 1) }));
      const outcomes = Promise.all(wakeups.map(apns.services.send));
      await vi.waitFor(() => expect(apns.simulator.ledger.pushes).toHaveLength(51));
      apns.simulator.goaway({ double, keep: 12 });
      expect((await outcomes).filter(({ kind }) => kind === "delivered")).toHaveLength(50);
      for (const { token } of wakeups) expect(apns.simulator.ledger.processedFor(token)).toHaveLength(1);
    },
  );
});

describe("a frozen peer", () => {
  it("is left within 6 s, and the next push is delivered", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    await vi.waitFor(() => expect(apns.simulator.connections).toHaveLength(2));
    apns.simulator.freeze();
    const stuck = apns.services.send(aWakeup({ token: aToken(1) }));
    await vi.waitFor(() => expect(apns.services.freeSlots(aModule())).toBeLessThan(501));
    await apns.clock.advance(seconds(6));
    expect(await stuck).toMatchObject({ kind: "unreachable" });
    await vi.waitFor(() => expect(apns.simulator.connections).toHaveLength(4));
    const next = apns.services.send(aWakeup({ token: aToken(2) }));
    expect(await whileTimePasses(apns.clock, next)).toMatchObject({ kind: "delivered" });
  });
});
