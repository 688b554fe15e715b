import { aToken, aWakeup } from "@reveille/testkit";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { anApns, countKinds, manyWakeups, type TestApns } from "../testing/an-apns.ts";

/** An APNs that takes its time, with a connection that is open. */
async function aSlowApns(ms = 250): Promise<TestApns> {
  const apns = await anApns({ simulator: { behaviour: { latency: { kind: "fixed", ms } } } });
  await apns.services.send(aWakeup());
  return apns;
}

describe("GOAWAY with 50 in flight", () => {
  it.each([
    ["once", { keep: 12 }],
    ["twice", { keep: 12, double: true }],
    ["that spares nobody", { keep: 0 }],
    ["that spares all", {}],
    ["because of maintenance", { keep: 12, reason: "Shutdown" }],
  ])("%s costs none of them, and repeats none that was processed", async (_how, goaway) => {
    await using apns = await aSlowApns();
    const wakeups = manyWakeups(50);
    const outcomes = Promise.all(wakeups.map(apns.services.send));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(51));
    apns.simulator.goaway(goaway);
    expect(countKinds(await outcomes)).toEqual({ delivered: 50 });
    for (const { token } of wakeups) expect(apns.simulator.ledger.processedFor(token)).toHaveLength(1);
  });

  it("as an error ends the connection: all are settled, and those beyond it delivered", async () => {
    await using apns = await aSlowApns();
    const outcomes = Promise.all(manyWakeups(50).map(apns.services.send));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(51));
    apns.simulator.goaway({ keep: 12, code: "ENHANCE_YOUR_CALM" });
    // Twelve on each of two connections have an unknown fate.
    expect(countKinds(await outcomes).delivered).toBeGreaterThanOrEqual(26);
  });

  it("because of our credential blames the module for what it cut off", async () => {
    await using apns = await aSlowApns(1_000);
    const outcomes = Promise.all(manyWakeups(50).map(apns.services.send));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(51));
    apns.simulator.goaway({ keep: 0, reason: "BadCertificate" });
    expect((await outcomes)[0]).toEqual({ kind: "rejected", reason: "BadCertificate", blame: "module" });
  });
});

describe("a connection that is asked to end", () => {
  it("is replaced before it ends", async () => {
    await using apns = await aSlowApns();
    const { simulator, services } = apns;
    await eventually(() => expect(simulator.connections).toHaveLength(2));
    simulator.rules.add({ match: { token: aToken("slow") }, latency: { kind: "fixed", ms: 1_500 } });
    const slow = services.send(aWakeup({ token: aToken("slow") }));
    await eventually(() => expect(simulator.ledger.pushesTo(aToken("slow"))).toHaveLength(1));
    const connection = simulator.ledger.pushesTo(aToken("slow"))[0]?.connection ?? 0;
    simulator.goaway({ connection });
    await eventually(() => expect(simulator.connections).toHaveLength(3));
    expect(simulator.connections.find(({ id }) => id === connection)?.state).not.toBe("closed");
    expect(await slow).toMatchObject({ kind: "delivered" });
    await eventually(() =>
      expect(simulator.connections.find(({ id }) => id === connection)?.state).toBe("closed"),
    );
  });

  it("by 503 Shutdown loses none of its pushes", async () => {
    await using apns = await aSlowApns();
    const outcomes = Promise.all(manyWakeups(50).map(apns.services.send));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(51));
    apns.simulator.shutdown();
    expect(countKinds(await outcomes)).toEqual({ delivered: 50 });
    expect(apns.events).toContainEqual(
      expect.objectContaining({ kind: "goaway-received", reason: "Shutdown" }),
    );
  });
});
