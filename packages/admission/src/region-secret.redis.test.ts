import { setTimeout as delay } from "node:timers/promises";

import { aModule, aRegion, aToken, ManualClock, startRedis } from "@reveille/testkit";
import { deviceKeyOf, type PushEvent, redisKeysOf, seconds } from "@reveille/wakeup";
import { expect, it, vi } from "vitest";

import { shareRegionSecret } from "./index.ts";

const region = aRegion();

async function aProcess(connect: () => ReturnType<Awaited<ReturnType<typeof startRedis>>["connect"]>) {
  const events: PushEvent[] = [];
  const clock = new ManualClock();
  const secret = await shareRegionSecret({
    redis: await connect(),
    region,
    clock,
    observe: (event) => void events.push(event),
  });
  const device = (): string => deviceKeyOf(secret, aToken(), aModule());
  return { secret, events, clock, device, [Symbol.asyncDispose]: async () => secret[Symbol.asyncDispose]() };
}

it("after FLUSHALL the processes of a region go on naming a device alike, and one of them tells", async () => {
  await using server = await startRedis();
  await using one = await aProcess(server.connect);
  await using other = await aProcess(server.connect);
  const before = one.device();
  expect(other.device()).toBe(before);

  const redis = await server.connect();
  await redis.flushall();
  for (const { clock } of [one, other]) await clock.advance(seconds(2));
  await vi.waitFor(async () =>
    expect(await redis.get(redisKeysOf(region).secret)).toBe(one.secret.current()),
  );
  expect([one.device(), other.device()]).toEqual([before, before]);
  await vi.waitFor(() =>
    expect([...one.events, ...other.events]).toEqual([{ kind: "redis-data-lost", secret: "put-back" }]),
  );
});

it("a Redis that restarts without its data gets the secret with the next connection, before any look", async () => {
  await using server = await startRedis();
  await using one = await aProcess(server.connect);
  const before = one.device();
  await server.restart();
  await vi.waitFor(() => expect(one.events).toEqual([{ kind: "redis-data-lost", secret: "put-back" }]));
  await using late = await aProcess(server.connect);
  expect(late.device()).toBe(before);
  expect(late.events).toEqual([]);
});

it("a process that starts on the empty Redis before the others look has them take over its secret", async () => {
  await using server = await startRedis();
  await using one = await aProcess(server.connect);
  const before = one.device();
  const redis = await server.connect();
  await redis.flushall();
  await using late = await aProcess(server.connect);
  expect(late.device()).not.toBe(before);
  await one.clock.advance(seconds(2));
  await vi.waitFor(() => expect(one.device()).toBe(late.device()));
  expect(one.events).toEqual([{ kind: "redis-data-lost", secret: "taken-over" }]);
  await delay(0);
});
