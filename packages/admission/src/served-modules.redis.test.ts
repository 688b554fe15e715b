import { aRegion, ManualClock, startRedis } from "@reveille/testkit";
import { redisKeysOf, seconds } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { openServedModules, type ServedName } from "./served-modules.ts";

const region = aRegion();
const apns: ServedName = { name: "m", kind: "apns" };
const fcm: ServedName = { name: "m", kind: "fcm" };

describe("what the region has served", () => {
  it("is known to an ingress that serves it no more, and that never did", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const clock = new ManualClock();
    {
      await using first = await openServedModules({ redis, region, clock, first: [apns] });
      expect(first.wasServed("m", "apns")).toBe(true);
    }
    await using second = await openServedModules({ redis, region, clock, first: [] });
    expect(second.wasServed("m", "apns")).toBe(true);
    expect(second.wasServed("m", "fcm")).toBe(false);
    await using other = await openServedModules({ redis, region, clock, first: [] });
    second.serve([fcm]);
    expect(second.wasServed("m", "fcm")).toBe(true);
    await expect
      .poll(async () => {
        await clock.advance(seconds(5));
        return other.wasServed("m", "fcm");
      })
      .toBe(true);
  });

  it("is written again by who knows it when Redis has lost its data, and is remembered while Redis answers nonsense", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const clock = new ManualClock();
    await using ingress = await openServedModules({ redis, region, clock, first: [apns] });
    ingress.serve([]);
    await redis.flushall();
    await expect
      .poll(async () => {
        await clock.advance(seconds(5));
        return redis.hkeys(redisKeysOf(region).servedModules);
      })
      .toEqual(["apns m"]);
    redis.sendCommand = (command): Promise<unknown> => {
      command.resolve(7);
      return Promise.resolve(7);
    };
    await clock.advance(seconds(20));
    expect(ingress.wasServed("m", "apns")).toBe(true);
  });
});
