import { startApnsSimulator } from "@reveille/push-simulator";
import { aToken, aWakeup } from "@reveille/testkit";
import { minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { aKey, anApns, countKinds, manyWakeups, type TestApns } from "../testing/an-apns.ts";

const credentialStates = ({ events }: TestApns): string[] =>
  events.flatMap((event) => (event.kind === "credential-changed" ? [event.state] : []));

const bearersOf = ({ simulator }: TestApns): Set<string | undefined> =>
  new Set(simulator.ledger.pushes.map(({ headers }) => headers["authorization"]));

/** The new credential has connections and waits for a push to prove itself. */
async function isTried(apns: TestApns): Promise<void> {
  await eventually(() => expect(apns.simulator.connections).toHaveLength(4));
  await eventually(() =>
    expect(
      apns.events.filter((event) => event.kind === "connection-state-changed" && event.to === "probing"),
    ).toHaveLength(4),
  );
}

describe("a changed key file", () => {
  it("is taken into use without losing a push, and the old connections close", async () => {
    // Without keys of its own the simulator accepts any signature.
    await using apns = await anApns({ simulator: { keys: [] } });
    expect(countKinds(await Promise.all(manyWakeups(20).map(apns.services.send)))).toEqual({ delivered: 20 });
    await apns.folder.write("key.p8", aKey().privateKey);
    await apns.services.reload();
    await isTried(apns);
    const during = await Promise.all(manyWakeups(50, "during").map(apns.services.send));
    expect(countKinds(during)).toEqual({ delivered: 50 });
    expect(credentialStates(apns)).toEqual(["trying", "in-use"]);
    expect(bearersOf(apns).size).toBe(2);
    await eventually(() =>
      expect(apns.simulator.connections.filter(({ state }) => state === "closed")).toHaveLength(2),
    );
  });

  it("is noticed by itself within a minute", async () => {
    await using apns = await anApns({ simulator: { keys: [] } });
    await apns.services.send(aWakeup());
    await apns.folder.write("key.p8", aKey().privateKey);
    await apns.clock.advance(seconds(61));
    await eventually(() => expect(credentialStates(apns)).toEqual(["trying"]));
  });

  it("that Apple refuses is not used: the push goes with the old key, and people are told once", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    await apns.folder.write("key.p8", aKey().privateKey);
    await apns.services.reload();
    await isTried(apns);
    expect(await apns.services.send(aWakeup({ token: aToken(1) }))).toMatchObject({ kind: "delivered" });
    expect(apns.events).toContainEqual(
      expect.objectContaining({
        kind: "credential-changed",
        state: "refused",
        because: "InvalidProviderToken",
      }),
    );
    await apns.services.reload();
    expect(credentialStates(apns)).toEqual(["trying", "refused"]);
    expect(await apns.services.send(aWakeup({ token: aToken(2) }))).toMatchObject({ kind: "delivered" });
  });

  it("that is no key changes nothing, and people are told once", async () => {
    await using apns = await anApns();
    await apns.folder.write("key.p8", "half a ke");
    await apns.services.reload();
    await apns.services.reload();
    expect(credentialStates(apns)).toEqual(["refused"]);
    // The folder may be systemd's, of which no operator knows.
    const because = "APNs key key.p8 holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)";
    expect(apns.events).toContainEqual(expect.objectContaining({ kind: "credential-changed", because }));
    expect(await apns.services.send(aWakeup())).toMatchObject({ kind: "delivered" });
  });

  it("that did not change is not even tried", async () => {
    await using apns = await anApns();
    await apns.services.reload();
    expect(credentialStates(apns)).toEqual([]);
  });

  it("that mends a refused module is tried at once, not after the breaker's minute", async () => {
    await using apns = await anApns();
    const right = await apns.folder.read("key.p8");
    await apns.folder.write("key.p8", aKey().privateKey);
    await using broken = await anApns({ apns: apns.settings.apns });
    const { services } = broken;
    for (let count = 0; count < 4; count += 1) {
      expect(await services.send(aWakeup())).toMatchObject({
        kind: "rejected",
        reason: "InvalidProviderToken",
      });
    }
    await apns.folder.write("key.p8", right);
    await services.reload();
    await eventually(async () => expect(await services.send(aWakeup())).toMatchObject({ kind: "delivered" }));
    expect(broken.clock.monotonic()).toBeLessThan(minutes(1));
  });
});

describe("a credential that waits for a push to prove it", () => {
  // Seen to fail: the worker took nothing while others could, since the old credential's connections were all gone.
  it("has room for one, though the old one has no connection", async () => {
    await using other = await startApnsSimulator();
    await using apns = await anApns();
    const right = await apns.folder.read("ca.pem");
    await apns.folder.write("ca.pem", other.ca);
    await using broken = await anApns({ apns: apns.settings.apns });
    const { services, clock } = broken;
    expect(services.room()).toBe(0);
    await apns.folder.write("ca.pem", right);
    await services.reload();
    await eventually(async () => {
      await clock.advance(seconds(1));
      expect(services.room()).toBe(1);
    });
    expect(await services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    await eventually(() => expect(services.room()).toBeGreaterThan(1));
  });
});

describe("a secret file", () => {
  it("that every user can read is told about at the start", async () => {
    await using apns = await anApns();
    await apns.folder.expose("key.p8");
    await using again = await anApns({ apns: apns.settings.apns });
    expect(again.events).toContainEqual({ kind: "credential-exposed", file: apns.folder.file("key.p8") });
    expect(apns.events).not.toContainEqual(expect.objectContaining({ kind: "credential-exposed" }));
  });
});
