import {
  aModule,
  aRegion,
  aRegionSecret,
  aToken,
  aWakeup,
  ManualClock,
  startRedis,
  type TestRedis,
} from "@reveille/testkit";
import { deviceKeyOf, hours, minutes, redisKeysOf, seconds } from "@reveille/wakeup";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { deviceRecords, redisAdmission } from "./index.ts";

const region = aRegion();
const secret = aRegionSecret();
const keys = redisKeysOf(region);

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => void (await redis.flushall()));

function aRecord(most = 3) {
  const clock = new ManualClock();
  const admission = redisAdmission({
    redis,
    region,
    secret,
    windowOf: () => seconds(20),
    forgetDeadAfter: () => hours(1),
    mostDeadDevices: () => most,
    clock,
    observe: () => undefined,
    redisTime: clock.now,
  });
  const kindsOf = async (...devices: readonly number[]) =>
    (await admission.decide(devices.map((seed) => aWakeup({ token: aToken(seed) })))).map(({ kind }) => kind);
  const markDead = async (seed: number): Promise<void> => {
    clock.step(1);
    await admission.markDead(aWakeup({ token: aToken(seed) }));
  };
  return { clock, admission, kindsOf, markDead, records: deviceRecords({ redis, region, clock }) };
}

describe("devices that are dead by the word of the push service", () => {
  it("are bounded in number, and the oldest go first", async () => {
    const { kindsOf, markDead, records } = aRecord();
    for (const seed of [1, 2, 3, 4, 5]) await markDead(seed);
    expect(await records.countDead()).toBe(3);
    expect(await kindsOf(1, 2, 3, 4, 5)).toEqual(["now", "now", "dead", "dead", "dead"]);
  });

  it("are counted as well if the push service has called their token bad twice", async () => {
    const { admission, clock, records } = aRecord();
    for (const seed of [1, 2, 3, 4]) {
      await admission.suspectDead(aWakeup({ token: aToken(seed) }));
      clock.step(minutes(2));
      await admission.suspectDead(aWakeup({ token: aToken(seed) }));
    }
    expect(await records.countDead()).toBe(3);
  });

  it("neither count nor push out what an operator has blocked", async () => {
    const { kindsOf, markDead, records } = aRecord();
    await markDead(1);
    await records.block(deviceKeyOf(secret, aToken(1), aModule()), hours(24));
    for (const seed of [2, 3, 4, 5]) await markDead(seed);
    expect(await kindsOf(1)).toEqual(["dead"]);
    await records.forgetDead();
    expect(await kindsOf(1, 5)).toEqual(["dead", "now"]);
  });

  it("are forgotten all at once when an operator wants it", async () => {
    const { kindsOf, markDead, records } = aRecord(5_000);
    for (let seed = 0; seed < 1_200; seed += 1) await markDead(seed);
    expect(await records.forgetDead()).toBe(1_200);
    expect(await records.countDead()).toBe(0);
    expect(await kindsOf(0, 1_199)).toEqual(["now", "now"]);
  });

  it("leave nothing that lasts longer than a mark", async () => {
    const { clock, markDead, records } = aRecord();
    await markDead(1);
    const ttl = await redis.pttl(keys.deadMarks);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(hours(1));
    clock.step(hours(2));
    await markDead(2);
    expect(await records.countDead()).toBe(1);
  });
});
