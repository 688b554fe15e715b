import { aModule, aWakeup } from "@reveille/testkit";
import { apnsIdOf } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { eventually } from "./testing/eventually.ts";
import { anApns, countKinds, manyWakeups } from "./testing/an-apns.ts";

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
    await eventually(() => expect(apns.services.health()).toMatchObject([{ health: { kind: "ready" } }]));
  });

  it("have as much room as the module with the most of it, and settle what goes far beyond", async () => {
    const latency = { kind: "fixed", ms: 200 } as const;
    await using apns = await anApns({
      simulator: { behaviour: { latency } },
      services: { mostAtOnce: 10 },
      topics: { other: "com.example.other" },
    });
    const { services } = apns;
    // Opens both connections.
    await Promise.all(manyWakeups(2, "opening").map(services.send));
    expect(services.room()).toBe(10);
    const outcomes = Promise.all(manyWakeups(30).map(services.send));
    expect(services.room()).toBe(10);
    const others = Promise.all(
      manyWakeups(10).map((wakeup) => services.send({ ...wakeup, module: aModule("other") })),
    );
    expect(services.room()).toBe(0);
    expect(countKinds(await outcomes)).toEqual({ delivered: 20, unreachable: 10 });
    expect(countKinds(await others)).toEqual({ delivered: 10 });
    expect(services.room()).toBe(10);
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
