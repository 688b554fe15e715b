import { aToken, aWakeup } from "@reveille/testkit";
import { seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { eventually } from "../testing/eventually.ts";
import { anApns, countKinds, manyWakeups } from "../testing/an-apns.ts";

describe("shutdown", () => {
  it.each([{ answerGoaway: false }, { answerGoaway: true }])(
    "waits for the answers of all that is under way, also if Apple answers our GOAWAY (%o)",
    async ({ answerGoaway }) => {
      await using apns = await anApns({
        simulator: { behaviour: { answerGoaway, latency: { kind: "fixed", ms: 100 } } },
      });
      const outcomes = Promise.all(manyWakeups(50).map(apns.services.send));
      await apns.services[Symbol.asyncDispose]();
      expect(countKinds(await outcomes)).toEqual({ delivered: 50 });
      await eventually(() =>
        expect(apns.simulator.connections.every(({ state }) => state === "closed")).toBe(true),
      );
    },
  );

  it("takes nothing new", async () => {
    await using apns = await anApns();
    await apns.services[Symbol.asyncDispose]();
    expect(await apns.services.send(aWakeup())).toEqual({ kind: "unreachable", reason: "shutting down" });
    expect(apns.services.health()).toMatchObject([{ health: { kind: "draining" } }]);
  });

  it("gives up after 20 s what gets no answer, and still settles it", async () => {
    await using apns = await anApns();
    await apns.services.send(aWakeup());
    apns.simulator.rules.add({ latency: { kind: "fixed", ms: 60_000 } });
    await apns.clock.advance(seconds(5));
    const stuck = apns.services.send(aWakeup({ token: aToken(1) }));
    await eventually(() => expect(apns.simulator.ledger.pushes).toHaveLength(2));
    const closed = apns.services[Symbol.asyncDispose]();
    await apns.clock.advance(seconds(11));
    expect(await stuck).toEqual({ kind: "unreachable", reason: "no answer within 10 s" });
    await apns.clock.advance(seconds(2));
    await closed;
  });

  it("does not wait for an endpoint that is away", async () => {
    await using apns = await anApns();
    await apns.simulator.stop();
    const waiting = apns.services.send(aWakeup());
    const closed = apns.services[Symbol.asyncDispose]();
    await apns.clock.advance(seconds(22));
    await closed;
    expect(await waiting).toMatchObject({ kind: "unreachable" });
  });
});
