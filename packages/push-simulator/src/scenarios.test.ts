import { describe, expect, it } from "vitest";

import { type Push } from "./index.ts";
import { aToken, connectTo, startPair, TOKEN } from "./testing/client.ts";
import { ManualClock } from "./testing/manual-clock.ts";

/** The most pushes that were between arrival and answer at one time. */
function mostAtOnce(pushes: readonly Push[]): number {
  const steps = pushes.flatMap(({ receivedAt, settledAt }) => [
    { at: receivedAt, by: 1 },
    { at: settledAt ?? 0, by: -1 },
  ]);
  let now = 0;
  return Math.max(...steps.toSorted((a, b) => a.at - b.at || a.by - b.by).map(({ by }) => (now += by)));
}

// What providers get wrong in the field, each as a scenario that a test of theirs can set up.
describe("a scenario", () => {
  it("of 1,500 pushes at a limit of 100 streams holds the client to it", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock, behaviour: { streamLimit: 100 } });
    const { simulator, client } = pair;
    await client.push(TOKEN);
    simulator.change({ latency: { kind: "fixed", ms: 200 } });
    const all = Array.from({ length: 1_500 }, async (_, n) => client.push(aToken(n)));
    for (let round = 1; round <= 15; round += 1) {
      await expect.poll(() => clock.sleepers, { interval: 5 }).toBe(100);
      clock.advance(200);
    }
    expect((await Promise.all(all)).filter(({ status }) => status === 200)).toHaveLength(1_500);
    expect(mostAtOnce(simulator.ledger.pushes.slice(1))).toBe(100);
    expect(simulator.stats().excessStreams).toBe(0);
  });

  it("of a peer that froze: the next connection works, and the ledger shows the push sent twice", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    await client.push(aToken(1));
    simulator.freeze();
    const lost = client.push(TOKEN);
    await using next = await connectTo(simulator);
    expect(await next.push(TOKEN)).toMatchObject({ status: 200 });
    client.session.destroy();
    expect(await lost).toMatchObject({ status: undefined });
    expect(simulator.ledger.processedFor(TOKEN)).toHaveLength(1);
  });

  it("of a device that throttles: attempts and the time between them are in the ledger", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    simulator.rules.add({
      match: { token: TOKEN },
      times: 1,
      fault: { kind: "answer", status: 429, reason: "TooManyRequests", headers: { "retry-after": "30" } },
    });
    expect((await client.push(TOKEN)).headers["retry-after"]).toBe("30");
    clock.advance(30_000);
    await client.push(TOKEN);
    const [first, second] = simulator.ledger.pushesTo(TOKEN);
    expect((second?.receivedAt ?? 0) - (first?.receivedAt ?? 0)).toBe(30_000);
    expect(simulator.ledger.processedFor(TOKEN)).toHaveLength(1);
  });

  it("of a restart cuts off what was in flight and serves on the same port again", async () => {
    await using pair = await startPair({ behaviour: { firstStreamLimit: 10 } });
    const { simulator, client } = pair;
    simulator.change({ stallShare: 1 });
    const all = [1, 2, 3].map(async (n) => client.push(aToken(n)));
    await expect.poll(() => simulator.ledger.pushes.length).toBe(3);
    await simulator.stop();
    expect((await Promise.all(all)).every(({ status }) => status === undefined)).toBe(true);
    await expect.poll(() => simulator.ledger.pushes.every(({ state }) => state === "cut")).toBe(true);
    simulator.change({ stallShare: 0 });
    await simulator.start();
    await using next = await connectTo(simulator);
    expect(await next.push(aToken(1))).toMatchObject({ status: 200 });
    expect(simulator.ledger.pushesTo(aToken(1))).toMatchObject([{ connection: 1 }, { connection: 2 }]);
  });

  it("of three hours with a token every 35 minutes sees no error, of every 15 minutes it does", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    const pushFor = async (hours: number, everyMinutes: number): Promise<void> => {
      for (let minute = 0; minute < hours * 60; minute += everyMinutes) {
        await client.push(TOKEN, { authorization: pair.bearer(clock.now()) });
        clock.advance(everyMinutes * 60_000);
      }
    };
    await pushFor(3, 35);
    expect(Object.keys(simulator.stats().answers)).toEqual(["200"]);
    await pushFor(1, 15);
    expect(simulator.stats().answers["429 TooManyProviderTokenUpdates"]).toBeGreaterThan(0);
  });
});
