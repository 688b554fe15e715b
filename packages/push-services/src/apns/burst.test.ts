import { aModule, aWakeup, ManualClock } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { anApns, countKinds, manyWakeups, whileTimePasses } from "../testing/an-apns.ts";
import { realClock } from "../testing/real-clock.ts";

describe("a cold burst", () => {
  it.each(["refuse-stream", "goaway"] as const)(
    "of 300 is delivered whole though Apple allows one stream at first (else: %s)",
    async (onTooManyStreams) => {
      await using apns = await anApns({ simulator: { behaviour: { onTooManyStreams } } });
      const outcomes = await Promise.all(manyWakeups(300).map(apns.services.send));
      expect(countKinds(outcomes)).toEqual({ delivered: 300 });
      expect(apns.simulator.stats().excessStreams).toBe(0);
    },
  );
});

describe("a new connection", () => {
  it("carries one push until Apple has accepted it, whatever the limit", async () => {
    const behaviour = { firstStreamLimit: 1_000, latency: { kind: "fixed", ms: 600 } } as const;
    await using apns = await anApns({ simulator: { behaviour } });
    const outcomes = Promise.all(manyWakeups(50).map(apns.services.send));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(2));
    expect(apns.services.freeSlots(aModule())).toBe(-48);
    expect(countKinds(await outcomes)).toEqual({ delivered: 50 });
  });
});

describe("the stream limit", () => {
  it("is kept while 1,500 pushes wait for 100 streams of 200 ms, and none times out", async () => {
    const behaviour = { streamLimit: 100, latency: { kind: "fixed", ms: 200 } } as const;
    await using apns = await anApns({ clock: realClock, simulator: { behaviour } });
    const outcomes = await Promise.all(manyWakeups(1_500).map(apns.services.send));
    expect(countKinds(outcomes)).toEqual({ delivered: 1_500 });
    expect(apns.simulator.stats().excessStreams).toBe(0);
  });

  it("is followed down to 1 and back, and nothing is lost", async () => {
    await using apns = await anApns({ simulator: { behaviour: { latency: { kind: "fixed", ms: 5 } } } });
    const { services, simulator } = apns;
    await services.send(aWakeup());
    const narrow = Promise.all(manyWakeups(60, "narrow").map(services.send));
    simulator.change({ streamLimit: 1 });
    expect(countKinds(await narrow)).toEqual({ delivered: 60 });
    expect(services.freeSlots(aModule())).toBeLessThanOrEqual(2);
    simulator.change({ streamLimit: 1_000 });
    await eventually(() => expect(services.freeSlots(aModule())).toBeGreaterThan(400));
    expect(countKinds(await Promise.all(manyWakeups(300, "wide").map(services.send)))).toEqual({
      delivered: 300,
    });
  });

  it("falls with every refusal, which costs time but no push", async () => {
    const behaviour = { narrowAfterRefusal: true, latency: { kind: "fixed", ms: 2 } } as const;
    await using apns = await anApns({ simulator: { behaviour } });
    const wakeups = manyWakeups(200);
    for (const { token } of wakeups.filter((_, place) => place % 10 === 9)) apns.simulator.devices.bad(token);
    const outcomes = await Promise.all(wakeups.map(apns.services.send));
    expect(countKinds(outcomes)).toEqual({ "token-dead": 20, delivered: 180 });
  });

  it("lets no push wait for longer than 10 s", async () => {
    const clock = new ManualClock(realClock.now());
    const behaviour = { streamLimit: 1, latency: { kind: "fixed", ms: 9_000 } } as const;
    await using apns = await anApns({ clock, simulator: { clock, behaviour } });
    const outcomes = await whileTimePasses(clock, Promise.all(manyWakeups(10).map(apns.services.send)));
    expect(outcomes).toContainEqual({ kind: "unreachable", reason: "no free connection within 10 s" });
    // Two at once, then two more before the others have waited for too long.
    expect(countKinds(outcomes).delivered).toBeLessThanOrEqual(4);
    await whileTimePasses(clock, apns.services[Symbol.asyncDispose]());
  });

  it("being small is no reason to open more connections", async () => {
    const behaviour = { streamLimit: 5, latency: { kind: "fixed", ms: 5 } } as const;
    await using apns = await anApns({ simulator: { behaviour } });
    await Promise.all(manyWakeups(200).map(apns.services.send));
    expect(apns.simulator.connections).toHaveLength(2);
  });

  it("reached on all connections makes the pool grow, to 8 at most", async () => {
    const behaviour = { streamLimit: 100, latency: { kind: "fixed", ms: 50 } } as const;
    await using apns = await anApns({ simulator: { behaviour } });
    await Promise.all(manyWakeups(2_000).map(apns.services.send));
    expect(apns.simulator.connections.length).toBeGreaterThan(2);
    expect(apns.simulator.connections.length).toBeLessThanOrEqual(8);
  });
});

describe("free slots", () => {
  it("fall with each push under way and come back", async () => {
    await using apns = await anApns({ simulator: { behaviour: { latency: { kind: "fixed", ms: 20 } } } });
    const { services } = apns;
    await Promise.all(manyWakeups(2, "opening").map(services.send));
    const free = services.freeSlots(aModule());
    const sending = Promise.all(manyWakeups(10).map(services.send));
    expect(services.freeSlots(aModule())).toBe(free - 10);
    await sending;
    expect(services.freeSlots(aModule())).toBe(free);
  });

  it("are negative by the number that waits", async () => {
    await using apns = await anApns();
    const sending = Promise.all(manyWakeups(10).map(apns.services.send));
    expect(apns.services.freeSlots(aModule())).toBe(-10);
    await sending;
  });
});
