import { aModule, aToken, aWakeup, type ManualClock } from "@reveille/testkit";
import { minutes, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { eventually } from "./testing/eventually.ts";
import { aKey, anApns, countKinds, manyWakeups, type TestApns } from "./testing/an-apns.ts";

const REFUSED = { kind: "rejected", reason: "TopicDisallowed", blame: "module" } as const;
const forbidden = { kind: "answer", status: 400, reason: "TopicDisallowed" } as const;

const statesOf = ({ events }: TestApns): readonly string[] =>
  events.flatMap((event) => (event.kind === "breaker-changed" ? [event.state] : []));

/** Until it is so, minutes pass in which no wakeup comes. */
const inTime = (clock: ManualClock, isSo: () => void): Promise<void> =>
  eventually(async () => {
    await clock.advance(seconds(20));
    isSo();
  });

describe("a module that Apple refuses", () => {
  it("is parked after three refusals, asked again once a minute, and resumes by itself", async () => {
    await using apns = await anApns();
    const { services, simulator, clock } = apns;
    const rule = simulator.rules.add({ at: "arrival", fault: forbidden });
    for (let count = 0; count < 3; count += 1) expect(await services.send(aWakeup())).toEqual(REFUSED);
    await eventually(() => expect(statesOf(apns)).toEqual(["open"]));
    for (let count = 0; count < 7; count += 1) expect(await services.send(aWakeup())).toEqual(REFUSED);
    // The fourth is to nobody: the device may have been refused for reasons of its own.
    expect(simulator.ledger.pushes.map(({ token }) => token.slice(0, 4))).toContain("ffff");
    expect(simulator.ledger.pushes).toHaveLength(4);
    expect(services.health()).toMatchObject([
      { part: "apns monalProdiOS", anyOf: "apns", health: { kind: "failing" } },
    ]);
    await clock.advance(seconds(61));
    await services.send(aWakeup());
    await services.send(aWakeup());
    expect(simulator.ledger.pushes).toHaveLength(5);
    rule.remove();
    await clock.advance(seconds(61));
    expect(await services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    expect(await services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    expect(services.health()).toMatchObject([{ health: { kind: "ready" } }]);
    expect(statesOf(apns)).toEqual(["open", "probing", "open", "probing", "closed"]);
  });

  it("is asked again by itself, by a push to nobody, once no wakeup of it comes any more", async () => {
    await using apns = await anApns();
    const { services, simulator, clock } = apns;
    const rule = simulator.rules.add({ at: "arrival", fault: forbidden });
    for (let count = 0; count < 3; count += 1) await services.send(aWakeup());
    // What had been parked comes again, here or elsewhere, and is the better probe.
    await eventually(() => expect(statesOf(apns)).toEqual(["open"]));
    for (let minute = 0; minute < 4; minute += 1) await clock.advance(minutes(1));
    expect(simulator.ledger.pushes).toHaveLength(4);
    await inTime(clock, () => expect(statesOf(apns)).toEqual(["open", "probing", "open"]));
    rule.remove();
    await inTime(clock, () => expect(services.health()).toMatchObject([{ health: { kind: "ready" } }]));
    await clock.advance(minutes(10));
    expect(simulator.ledger.pushes.slice(4)).toMatchObject([
      { token: "f".repeat(64), status: 400, reason: "TopicDisallowed" },
      { token: "f".repeat(64), status: 400, reason: "BadDeviceToken" },
    ]);
  });

  it("has its mended credential proved by a push to nobody, though no wakeup of it comes", async () => {
    await using apns = await anApns();
    const right = await apns.folder.read("key.p8");
    await apns.folder.write("key.p8", aKey().privateKey);
    await using broken = await anApns({ apns: apns.settings.apns });
    const { services, clock } = broken;
    for (let count = 0; count < 3; count += 1) await services.send(aWakeup());
    await apns.folder.write("key.p8", right);
    await services.reload();
    await eventually(() => expect(apns.simulator.connections).toHaveLength(4));
    await inTime(clock, () => expect(services.health()).toMatchObject([{ health: { kind: "ready" } }]));
    expect(apns.simulator.ledger.pushes.map(({ reason }) => reason)).toEqual([
      "InvalidProviderToken",
      "InvalidProviderToken",
      "InvalidProviderToken",
      "InvalidProviderToken",
      "BadDeviceToken",
    ]);
    expect(clock.monotonic()).toBeLessThan(minutes(5));
  });

  it("is parked after ten devices in a row, though a push to nobody is accepted; another device is tried at once", async () => {
    await using apns = await anApns();
    const { services, simulator } = apns;
    const [healthy, ...others] = manyWakeups(12);
    if (healthy === undefined) throw new Error("no wakeup");
    for (const { token } of others) simulator.rules.add({ match: { token }, fault: forbidden });
    for (const wakeup of others) expect(await services.send(wakeup)).toEqual(REFUSED);
    expect(statesOf(apns)).toEqual(["open", "probing", "open"]);
    expect(await services.send(healthy)).toMatchObject({ kind: "delivered" });
    expect(statesOf(apns)).toEqual(["open", "probing", "open", "probing", "closed"]);
  });

  it("does not disturb another module on the same connections", async () => {
    await using apns = await anApns({ topics: { other: "com.example.other" } });
    const { services, simulator } = apns;
    const other = aModule("other");
    simulator.rules.add({ match: { topic: "com.example.other" }, fault: forbidden });
    const wakeups = manyWakeups(40);
    const mine = Promise.all(wakeups.map(services.send));
    const theirs = Promise.all(wakeups.map((wakeup) => services.send({ ...wakeup, module: other })));
    expect(countKinds(await mine)).toEqual({ delivered: 40 });
    expect(countKinds(await theirs)).toEqual({ rejected: 40 });
    expect(await services.send(aWakeup({ module: other }))).toEqual(REFUSED);
    expect(await services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    expect(simulator.connections).toHaveLength(2);
  });
});

describe("an environment that is wrong", () => {
  it("kills no token, and has their wakeups tried again", async () => {
    await using apns = await anApns();
    const wakeups = manyWakeups(60);
    for (const { token } of wakeups) apns.simulator.devices.bad(token);
    const outcomes = [];
    for (const wakeup of wakeups) outcomes.push(await apns.services.send(wakeup));
    expect(countKinds(outcomes)).toEqual({ unreachable: 60 });
    expect(outcomes.at(-1)).toEqual({
      kind: "unreachable",
      reason: "BadDeviceToken",
      retryAfter: minutes(15),
    });
    expect(apns.events).toContainEqual({ kind: "token-guard-changed", module: aModule(), state: "on" });
  });
});

describe("one of Apple's servers with troubles of its own", () => {
  it("is left after five of them in a row", async () => {
    await using apns = await anApns();
    const { services, simulator } = apns;
    // Of two idle connections the same is chosen each time.
    await eventually(() => expect(services.freeSlots(aModule())).toBe(2));
    await services.send(aWakeup());
    const connection = simulator.ledger.pushes[0]?.connection ?? 0;
    const fault = { kind: "answer", status: 500, reason: "InternalServerError" } as const;
    simulator.rules.add({ match: { connection }, fault });
    const outcomes = [];
    for (const wakeup of manyWakeups(20)) outcomes.push(await services.send(wakeup));
    expect(countKinds(outcomes)).toEqual({ unreachable: 5, delivered: 15 });
    await eventually(() =>
      expect(simulator.connections.find(({ id }) => id === connection)?.state).toBe("closed"),
    );
  });
});

describe("an endpoint with troubles of its own", () => {
  it("gets a rest after ten of them in a row, and one push to see whether it is over", async () => {
    await using apns = await anApns();
    const { services, simulator, clock, events } = apns;
    const rule = simulator.rules.add({
      fault: { kind: "answer", status: 500, reason: "InternalServerError" },
    });
    for (let count = 0; count < 12; count += 1) {
      expect(await services.send(aWakeup({ token: aToken(count) }))).toMatchObject({ kind: "unreachable" });
    }
    expect(simulator.ledger.pushes).toHaveLength(10);
    expect(await services.send(aWakeup())).toHaveProperty("retryAfter");
    expect(events).toContainEqual(expect.objectContaining({ kind: "endpoint-rest-changed", state: "open" }));
    rule.remove();
    await clock.advance(seconds(6));
    await eventually(() => expect(services.health()).toMatchObject([{ health: { kind: "ready" } }]));
    expect(await services.send(aWakeup())).toMatchObject({ kind: "delivered" });
    expect(countKinds(await Promise.all(manyWakeups(20).map(services.send)))).toEqual({ delivered: 20 });
  });
});
