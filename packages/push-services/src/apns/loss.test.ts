import { aModule, aToken, aWakeup, ManualClock } from "@reveille/testkit";
import { millis, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { anApns, countKinds, manyWakeups, whileTimePasses } from "../testing/an-apns.ts";
import { realClock } from "../testing/real-clock.ts";

describe("a push whose stream fails", () => {
  it("is sent again at once if it was refused unprocessed", async () => {
    await using apns = await anApns();
    apns.simulator.rules.add({ fault: { kind: "reset-stream", code: "REFUSED_STREAM" }, times: 3 });
    expect(await apns.services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    expect(apns.simulator.ledger.pushes).toHaveLength(4);
  });

  it("is sent again on another connection", async () => {
    await using apns = await anApns();
    await eventually(() => expect(apns.services.freeSlots(aModule())).toBe(2));
    apns.simulator.rules.add({
      match: { connection: 1 },
      fault: { kind: "reset-stream", code: "REFUSED_STREAM" },
    });
    for (const wakeup of manyWakeups(5)) {
      expect(await apns.services.send(wakeup)).toMatchObject({ kind: "delivered" });
      expect(apns.simulator.ledger.pushesTo(wakeup.token).length).toBeLessThanOrEqual(2);
    }
  });

  it("goes back to the queue when that happens four times", async () => {
    await using apns = await anApns();
    apns.simulator.rules.add({ fault: { kind: "reset-stream", code: "REFUSED_STREAM" } });
    expect(await apns.services.send(aWakeup())).toEqual({ kind: "unreachable", reason: "refused" });
    expect(apns.simulator.ledger.pushes).toHaveLength(4);
  });

  it.each(["INTERNAL_ERROR", "CANCEL", "NO_ERROR"] as const)(
    "goes back to the queue after one request if nobody knows its fate (%s)",
    async (code) => {
      await using apns = await anApns();
      apns.simulator.rules.add({ fault: { kind: "reset-stream", code } });
      expect(await apns.services.send(aWakeup())).toMatchObject({ kind: "unreachable" });
      expect(apns.simulator.ledger.pushes).toHaveLength(1);
    },
  );

  it("is not delivered for ever if nothing comes: it times out after 10 s and the connection stays", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    apns.simulator.rules.add({ fault: { kind: "no-answer" }, times: 1 });
    const stuck = apns.services.send(aWakeup({ token: aToken(1) }));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(2));
    expect(await whileTimePasses(apns.clock, stuck)).toEqual({
      kind: "unreachable",
      reason: "no answer within 10 s",
    });
    expect(await apns.services.send(aWakeup({ token: aToken(2) }))).toMatchObject({ kind: "delivered" });
    expect(apns.simulator.connections).toHaveLength(2);
  });

  it.each([
    [200, { kind: "delivered" }],
    [410, { kind: "unreachable", reason: "HTTP 410" }],
  ])("after the status %i has the outcome of that status alone", async (status, outcome) => {
    await using apns = await anApns();
    apns.simulator.rules.add({ fault: { kind: "headers-only", status } });
    expect(await whileTimePasses(apns.clock, apns.services.send(aWakeup()))).toMatchObject(outcome);
  });

  it("by an HTML page of a proxy keeps its status", async () => {
    await using apns = await anApns();
    apns.simulator.rules.add({ fault: { kind: "answer", status: 502, body: "<html>bad gateway</html>" } });
    expect(await apns.services.send(aWakeup())).toEqual({ kind: "unreachable", reason: "HTTP 502" });
  });
});

describe("a frozen peer", () => {
  it("is left within 6 s, and the next push is delivered", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    await eventually(() => expect(apns.services.freeSlots(aModule())).toBe(501));
    apns.simulator.freeze();
    const stuck = apns.services.send(aWakeup({ token: aToken(1) }));
    await apns.clock.advance(seconds(6));
    expect(await stuck).toEqual({ kind: "unreachable", reason: "no answer to a ping within 4 s" });
    await eventually(() => expect(apns.simulator.connections).toHaveLength(4));
    expect(await apns.services.send(aWakeup({ token: aToken(2) }))).toMatchObject({ kind: "delivered" });
  });

  it("gets no pushes while it owes an answer to a ping, as long as there is another", async () => {
    await using apns = await anApns();
    const { services, simulator, clock } = apns;
    await eventually(() => expect(services.freeSlots(aModule())).toBe(2));
    await Promise.all(manyWakeups(2, "opening").map(services.send));
    const [first] = simulator.ledger.pushesTo(aToken("opening 0"));
    simulator.freeze(first?.connection);
    const stuck = services.send(aWakeup());
    await clock.advance(seconds(2));
    // Its answer shows that the ping before it was answered, too.
    await services.send(aWakeup({ token: aToken(1) }));
    expect(countKinds(await Promise.all(manyWakeups(100).map(services.send)))).toEqual({ delivered: 100 });
    await clock.advance(seconds(4));
    expect(await stuck).toMatchObject({ kind: "unreachable" });
  });

  it("is found out by a ping after a minute without any push", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    await eventually(() => expect(apns.services.freeSlots(aModule())).toBe(501));
    apns.simulator.freeze();
    await apns.clock.advance(seconds(66));
    await eventually(() => expect(apns.simulator.connections).toHaveLength(4));
  });

  it("is not suspected while it only takes its time", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    apns.simulator.rules.add({ fault: { kind: "no-answer" }, times: 1 });
    const slow = apns.services.send(aWakeup({ token: aToken(1) }));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(2));
    for (let step = 0; step < 11; step += 1) {
      await apns.clock.advance(seconds(1));
      await eventually(() => expect(apns.services.health()).toMatchObject([{ health: { kind: "ready" } }]));
    }
    await slow;
    expect(apns.simulator.connections.every(({ state }) => state !== "closed")).toBe(true);
  });
});

describe("a process that stood still for a while", () => {
  it("reads the answers that came meanwhile before it blames the peer", async () => {
    const manual = new ManualClock(realClock.now());
    let stoodStill = 0;
    const { now, sleep } = manual;
    const clock = { now, sleep, monotonic: () => millis(manual.monotonic() + stoodStill) };
    const behaviour = { latency: { kind: "fixed", ms: 150 } } as const;
    await using apns = await anApns({ clock, simulator: { behaviour } });
    const slow = apns.services.send(aWakeup());
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(1));
    stoodStill = seconds(60);
    await manual.advance(millis(300));
    expect(await slow).toMatchObject({ kind: "delivered" });
    await apns.services[Symbol.asyncDispose]();
  });
});

describe("a lost connection", () => {
  it("settles all its pushes, and the next ones go over a new one", async () => {
    await using apns = await anApns({ simulator: { behaviour: { latency: { kind: "fixed", ms: 1_000 } } } });
    await apns.services.send(aWakeup());
    const outcomes = Promise.all(manyWakeups(50).map(apns.services.send));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(51));
    apns.simulator.resetConnections();
    expect(countKinds(await outcomes)).toEqual({ unreachable: 50 });
    apns.simulator.change({ latency: { kind: "fixed", ms: 0 } });
    const again = Promise.all(manyWakeups(50, "again").map(apns.services.send));
    expect(countKinds(await whileTimePasses(apns.clock, again))).toEqual({ delivered: 50 });
  });

  it("comes back when the endpoint does", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    await apns.simulator.stop();
    await eventually(() => expect(apns.services.health()).toMatchObject([{ health: { kind: "failing" } }]));
    const during = apns.services.send(aWakeup({ token: aToken(1) }));
    await apns.simulator.start();
    expect(await whileTimePasses(apns.clock, during)).toMatchObject({ kind: "delivered" });
    expect(apns.services.health()).toMatchObject([{ health: { kind: "ready" } }]);
  });
});

describe("an endpoint that cannot be reached", () => {
  it.each([{ kind: "no-tls" }, { kind: "no-settings" }, { kind: "reset" }, { kind: "close" }] as const)(
    "(%o) settles its pushes in time and says why",
    async (fault) => {
      await using apns = await anApns();
      await eventually(() => expect(apns.simulator.connections).toHaveLength(2));
      apns.simulator.connectFaults.add(fault);
      apns.simulator.resetConnections();
      await eventually(() =>
        expect(apns.services.health()).not.toMatchObject([{ health: { kind: "ready" } }]),
      );
      const outcome = await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
      expect(outcome).toMatchObject({ kind: "unreachable" });
      expect(apns.services.health()).toMatchObject([{ health: { kind: "failing" } }]);
    },
  );

  it("no longer keeps pushes waiting once it has been away for a while", async () => {
    await using apns = await anApns();
    await apns.simulator.stop();
    await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
    const before = apns.clock.monotonic();
    expect(await apns.services.send(aWakeup())).toHaveProperty("retryAfter");
    expect(apns.clock.monotonic()).toBe(before);
  });

  it("because its certificate is for another name is told so", async () => {
    await using apns = await anApns({ simulator: { names: ["other.example"] } });
    await whileTimePasses(apns.clock, apns.services.send(aWakeup()));
    expect(JSON.stringify(apns.services.health())).toMatch(
      /no TLS with localhost: its certificate is for another name/,
    );
  });
});
