import { setTimeout as pause } from "node:timers/promises";

import { ManualClock, startRedis } from "@reveille/testkit";
import { hours, type PushEvent, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { openRegionClock } from "./region-clock.ts";

const HOUR: number = hours(1);

/** A host whose clock is an hour ahead of the real Redis', whose time passes only when told. */
async function aHost() {
  await using parts = new AsyncDisposableStack();
  const server = parts.use(await startRedis());
  const redis = await server.connect();
  const clock = new ManualClock(Date.now() + HOUR);
  const events: Extract<PushEvent, { kind: "clock-compared" }>[] = [];
  const observe = (event: PushEvent): void => {
    if (event.kind === "clock-compared") events.push(event);
  };
  const regionClock = parts.use(await openRegionClock({ redis, clock, observe }));
  const stack = parts.move();
  return { redis, clock, events, regionClock, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Redis lives in real time. */
async function look({ clock, events }: Awaited<ReturnType<typeof aHost>>): Promise<void> {
  const before = events.length;
  await expect
    .poll(async () => {
      await clock.advance(seconds(5));
      await pause(5);
      return events.length;
    })
    .toBeGreaterThan(before);
}

describe("the region's clock", () => {
  it("tells Redis' time whatever the host's says, and how much that is wrong", async () => {
    await using host = await aHost();
    expect(Math.abs(host.regionClock.now() - Date.now())).toBeLessThan(5_000);
    const [event] = host.events;
    expect(event).toMatchObject({ isWrong: true, hasChanged: true });
    expect(Math.abs((event?.ahead ?? 0) - HOUR)).toBeLessThan(5_000);
  });

  it("goes on by the monotonic clock, and no step of the host's clock changes it", async () => {
    await using host = await aHost();
    const before = host.regionClock.now();
    await host.clock.advance(seconds(3));
    host.clock.step(-HOUR);
    expect(host.regionClock.now() - before).toBe(3_000);
  });

  it("says once that the host's clock is right again", async () => {
    await using host = await aHost();
    host.clock.step(-HOUR);
    await look(host);
    expect(host.events[1]).toMatchObject({ isWrong: false, hasChanged: true });
    await look(host);
    expect(host.events.at(-1)).toMatchObject({ isWrong: false, hasChanged: false });
  });

  it("goes on while Redis answers nothing of use", async () => {
    await using host = await aHost();
    const { redis } = host;
    redis.sendCommand = (command): Promise<unknown> => {
      command.resolve("wrong");
      return Promise.resolve("wrong");
    };
    const before = host.regionClock.now();
    await host.clock.advance(seconds(60));
    expect(host.regionClock.now() - before).toBe(60_000);
  });
});
