import { describe, expect, it } from "vitest";

import { type ApnsSimulator } from "../index.ts";
import { aToken, startPair, TOKEN } from "../testing/client.ts";
import { ManualClock } from "../testing/manual-clock.ts";

const titled = (title: string): string => JSON.stringify({ aps: { alert: { title } } });
const titlesOn = (pushes: readonly { readonly payload: unknown }[]): string =>
  pushes.map(({ payload }) => /"title":"(\w+)"/.exec(JSON.stringify(payload))?.[1]).join(" ");

describe("a device", () => {
  it("that is dead is 410 with reason and timestamp, until it registers again", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.devices.kill(TOKEN, "ExpiredToken", 1_700_000_000_000);
    expect(await client.push(TOKEN)).toMatchObject({
      status: 410,
      body: '{"reason":"ExpiredToken","timestamp":1700000000000}',
    });
    simulator.devices.register(TOKEN);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
    expect(simulator.ledger.pushesTo(TOKEN)).toHaveLength(2);
    expect(simulator.ledger.processedFor(TOKEN)).toHaveLength(1);
  });

  it("is the same in upper and lower case", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    simulator.devices.kill(TOKEN.toUpperCase());
    expect(await client.push(TOKEN)).toMatchObject({ status: 410 });
    expect(simulator.ledger.pushesTo(TOKEN.toUpperCase())).toHaveLength(1);
  });

  it("dies now if nobody says when", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    simulator.devices.kill(TOKEN);
    expect((await client.push(TOKEN)).body).toBe(`{"reason":"Unregistered","timestamp":${clock.now()}}`);
  });

  it.each([
    ["a bad token", (simulator: ApnsSimulator) => simulator.devices.bad(TOKEN), "BadDeviceToken"],
    [
      "a token of the sandbox",
      (simulator: ApnsSimulator) => simulator.devices.register(TOKEN, { environment: "sandbox" }),
      "BadDeviceToken",
    ],
    [
      "a token of another app",
      (simulator: ApnsSimulator) => simulator.devices.register(TOKEN, { topics: ["org.example.other"] }),
      "DeviceTokenNotForTopic",
    ],
  ])("with %s", async (_what, arrange, reason) => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    arrange(simulator);
    expect(await client.push(TOKEN)).toMatchObject({ status: 400, body: `{"reason":"${reason}"}` });
  });

  it("is throttled by its own bucket, which fills again", async () => {
    const clock = new ManualClock();
    const behaviour = { throttle: { burst: 2, refillMs: 1_000 } };
    await using pair = await startPair({ clock, behaviour });
    const { client } = pair;
    const statuses: (number | undefined)[] = [];
    for (const token of [TOKEN, TOKEN, TOKEN, aToken(1)]) statuses.push((await client.push(token)).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
    clock.advance(999);
    expect(await client.push(TOKEN)).toMatchObject({ body: '{"reason":"TooManyRequests"}' });
    clock.advance(1);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
  });

  it("that is offline gets the newest notification of each app when it comes back", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    const other = { "apns-topic": "org.example.other" };
    simulator.devices.offline(TOKEN);
    await client.push(TOKEN, {}, titled("first"));
    await client.push(TOKEN, {}, titled("second"));
    await client.push(TOKEN, other, titled("elsewhere"));
    expect(titlesOn(simulator.devices.storedFor(TOKEN))).toBe("second elsewhere");
    expect(simulator.devices.shownOn(TOKEN)).toEqual([]);
    simulator.devices.online(TOKEN);
    expect(titlesOn(simulator.devices.shownOn(TOKEN))).toBe("second elsewhere");
    expect(simulator.devices.storedFor(TOKEN)).toEqual([]);
  });

  it("that is offline too long misses what has expired", async () => {
    const clock = new ManualClock();
    await using pair = await startPair({ clock });
    const { simulator, client } = pair;
    const inAnHour = String(Math.floor(clock.now() / 1_000) + 3_600);
    simulator.devices.offline(TOKEN);
    await client.push(TOKEN, { "apns-expiration": "0" }, titled("once"));
    expect(simulator.devices.storedFor(TOKEN)).toEqual([]);
    await client.push(TOKEN, { "apns-expiration": inAnHour }, titled("stored"));
    expect(titlesOn(simulator.devices.storedFor(TOKEN))).toBe("stored");
    clock.advance(3_601_000);
    simulator.devices.online(TOKEN);
    expect(simulator.devices.shownOn(TOKEN)).toEqual([]);
  });

  it("shows one notification for each collapse id", async () => {
    await using pair = await startPair();
    const { simulator, client } = pair;
    await client.push(TOKEN, { "apns-collapse-id": "c" }, titled("old"));
    await client.push(TOKEN, {}, titled("plain"));
    await client.push(TOKEN, { "apns-collapse-id": "c", "apns-topic": "org.example.other" }, titled("other"));
    await client.push(TOKEN, { "apns-collapse-id": "c" }, titled("new"));
    expect(titlesOn(simulator.devices.shownOn(TOKEN))).toBe("plain other new");
  });

  it("whose token nobody has registered can be refused", async () => {
    await using pair = await startPair({ unknownTokens: "refuse" });
    const { simulator, client } = pair;
    simulator.devices.register(TOKEN);
    expect(await client.push(TOKEN)).toMatchObject({ status: 200 });
    simulator.devices.forget(TOKEN.toUpperCase());
    expect(await client.push(TOKEN)).toMatchObject({ status: 400 });
  });
});
