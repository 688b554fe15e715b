import { describe, expect, it } from "vitest";

import { startApnsSimulator } from "./index.ts";
import { aToken, connectTo, TOKEN } from "./testing/client.ts";
import { ManualClock } from "./testing/manual-clock.ts";

describe("the simulator", () => {
  it("answers a good push with 200 and its apns-id, and writes it down", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectTo(simulator);
    const seen = await client.push(TOKEN, { "apns-id": "00000000-0000-4000-8000-000000000001" });
    expect(seen).toMatchObject({
      status: 200,
      body: "",
      headers: { "apns-id": "00000000-0000-4000-8000-000000000001" },
    });
    const [push] = simulator.ledger.pushesTo(TOKEN);
    expect(push).toMatchObject({
      topic: "org.example.app",
      payload: { aps: { "mutable-content": 1 } },
      connection: 1,
      stream: 1,
      status: 200,
      processed: true,
    });
  });

  it("allows one stream until the first push is authenticated, then the rest", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectTo(simulator);
    expect(client.limits).toEqual([1]);
    await client.push(TOKEN);
    expect(client.limits).toEqual([1, 1000]);
    const all = await Promise.all(Array.from({ length: 300 }, async (_, n) => client.push(aToken(n))));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(300);
  });

  it("refuses the streams of an eager client beyond the limit, unprocessed", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectTo(simulator, { eager: true });
    const all = await Promise.all(Array.from({ length: 300 }, async (_, n) => client.push(aToken(n))));
    const refused = all.filter(({ rstCode }) => rstCode === 7).length;
    expect(refused).toBeGreaterThan(50);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(300 - refused);
    expect(simulator.stats().excessStreams).toBe(refused);
    expect(simulator.ledger.pushes).toHaveLength(300 - refused);
  });

  it("sends two GOAWAY frames, answers what it keeps and cuts off the rest", async () => {
    const clock = new ManualClock();
    await using simulator = await startApnsSimulator({ clock });
    await using client = await connectTo(simulator);
    await client.push(TOKEN);
    simulator.change({ latency: { kind: "fixed", ms: 50 } });
    const all = Array.from({ length: 50 }, async (_, n) => client.push(aToken(n)));
    await expect.poll(() => clock.sleepers).toBe(50);
    simulator.goaway({ double: true, keep: 25, reason: "Shutdown" });
    clock.advance(50);
    const seen = await Promise.all(all);
    expect(seen.filter(({ status }) => status === 200)).toHaveLength(25);
    expect(seen.filter(({ rstCode }) => rstCode === 7)).toHaveLength(25);
    expect(client.goaways.map(({ last }) => last)).toEqual([2 ** 31 - 1, 51]);
    expect(client.goaways[1]?.data).toBe('{"reason":"Shutdown"}');
    expect(simulator.ledger.pushes.filter(({ processed }) => processed)).toHaveLength(26);
  });

  it("counts on when the ledger is full, and forgets all on reset", async () => {
    await using simulator = await startApnsSimulator({ ledgerLimit: 2 });
    await using client = await connectTo(simulator);
    for (const n of [1, 2, 3]) await client.push(aToken(n));
    expect(simulator.ledger.tokens()).toEqual([aToken(1), aToken(2)]);
    expect(simulator.ledger.unrecorded).toBe(1);
    expect(simulator.stats().pushes).toBe(3);
    simulator.reset();
    expect(simulator.ledger.pushes).toEqual([]);
    expect(simulator.ledger.unrecorded).toBe(0);
    expect(simulator.connections).toHaveLength(1);
  });

  it("stops and comes back on the same port", async () => {
    await using simulator = await startApnsSimulator();
    const { port } = simulator;
    await simulator.stop();
    await simulator.start();
    expect(simulator.port).toBe(port);
    await using client = await connectTo(simulator);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("freezes a connection: no answer, no PONG, until it is thawed", async () => {
    await using simulator = await startApnsSimulator();
    await using client = await connectTo(simulator);
    await client.push(TOKEN);
    simulator.freeze();
    const ponged = new Promise((resolve) => client.session.ping(resolve));
    const late = client.push(aToken(1));
    const quiet = new Promise((resolve) => setTimeout(resolve, 100, "quiet"));
    expect(await Promise.race([late, ponged, quiet])).toBe("quiet");
    simulator.thaw();
    expect(await late).toMatchObject({ status: 200 });
    await ponged;
  });
});
