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
import {
  deviceKeyOf,
  epochMillis,
  hours,
  later,
  millis,
  minutes,
  redisKeysOf,
  seconds,
  type Wakeup,
} from "@reveille/wakeup";
import fc from "fast-check";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { clearanceOf } from "./clearance.ts";
import { redisBacklog, type SettledPush } from "./index.ts";

const region = aRegion();
const secret = aRegionSecret();
const keys = redisKeysOf(region);
const start = Date.UTC(2026, 0, 1);

let server: TestRedis;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
afterAll(async () => server[Symbol.asyncDispose]());
beforeEach(async () => redis.flushall());

function aBacklog(clock = new ManualClock(start)) {
  const windowOf = () => seconds(20);
  const times = { clock, redisTime: clock.now, longestDeadline: () => hours(1), windowOf };
  return { backlog: redisBacklog({ redis, region, secret, ...times }), clock };
}

/** A push that was told to go at that time, as its worker settles it. */
const pushed = (wakeup: Wakeup, accepted: boolean, clearedAt = 0): SettledPush => ({
  wakeup,
  accepted,
  clearedAt: epochMillis(start + clearedAt),
});

const received = (offset: number, seed = 0): Wakeup =>
  aWakeup({ token: aToken(seed), receivedAt: epochMillis(start + offset) });

describe("a backlog", () => {
  it("lasts as long as it is expected to, for every worker and its module only", async () => {
    const [one, two] = [aBacklog().backlog, aBacklog()];
    expect(await two.backlog.lasts(aModule())).toBe(false);
    await one.expect(aModule(), minutes(5));
    await one.expect(aModule(), seconds(1));
    expect(await one.lasts(aModule())).toBe(true);
    await two.clock.advance(seconds(1));
    expect(await two.backlog.lasts(aModule())).toBe(true);
    expect(await two.backlog.lasts(aModule("other"))).toBe(false);
    expect(await redis.pttl(keys.backlog(aModule()))).toBeGreaterThan(minutes(4));
  });

  it("asks Redis about itself once per second", async () => {
    const { backlog, clock } = aBacklog();
    await backlog.lasts(aModule());
    await redis.set(keys.backlog(aModule()), "1");
    expect(await backlog.lasts(aModule())).toBe(false);
    await clock.advance(seconds(1));
    expect(await backlog.lasts(aModule())).toBe(true);
  });
});

describe("the devices that backlogs remember", () => {
  it("are bounded in number, the oldest go first, and cost no more than a push too many", async () => {
    const clock = new ManualClock(start);
    const backlog = redisBacklog({
      redis,
      region,
      secret,
      clock,
      redisTime: clock.now,
      longestDeadline: () => hours(1),
      mostDevices: () => 3,
      windowOf: () => seconds(20),
    });
    for (const seed of [1, 2, 3, 4, 5]) {
      await clock.advance(seconds(1));
      expect(await backlog.clear([received(0, seed)])).toMatchObject([{ kind: "go" }]);
    }
    expect(await redis.keys(`{${region}}a?????????????????*`)).toHaveLength(3);
    expect(await redis.pttl(keys.backlogDevices)).toBeGreaterThan(minutes(50));
    const again = await backlog.clear([received(0, 5), received(0, 1)]);
    expect(again.map(({ kind }) => kind)).toEqual(["later", "go"]);
  });
});

describe("who asks whether a backlog lasts, after a long time", () => {
  it("hears what is true now, as do all that ask meanwhile", async () => {
    const { backlog, clock } = aBacklog();
    await backlog.lasts(aModule());
    await redis.set(keys.backlog(aModule()), "1");
    await clock.advance(minutes(10));
    const answers = await Promise.all([backlog.lasts(aModule()), backlog.lasts(aModule())]);
    expect(answers).toEqual([true, true]);
  });

  it("asks again at once if Redis did not answer", async () => {
    const lost = await server.connect();
    const clock = new ManualClock(start);
    const backlog = redisBacklog({
      redis: lost,
      region,
      secret,
      clock,
      longestDeadline: () => hours(1),
      windowOf: () => seconds(20),
    });
    lost.disconnect();
    await expect(backlog.lasts(aModule())).rejects.toThrow("Connection is closed");
    await lost.connect();
    expect(await backlog.lasts(aModule())).toBe(false);
  });
});

describe("during a backlog, a push", () => {
  it("goes once, and covers what was received before it left", async () => {
    const { backlog, clock } = aBacklog();
    clock.step(60_000);
    const [oldest, older] = [received(0), received(30_000)];
    expect(await backlog.clear([older])).toMatchObject([{ kind: "go" }]);
    expect(await backlog.clear([oldest])).toEqual([{ kind: "later", after: 25_000 }]);
    await backlog.settle([pushed(older, true, 60_000)]);
    expect(await backlog.clear([oldest])).toEqual([{ kind: "covered" }]);
    expect(await backlog.clear([received(59_000)])).toEqual([{ kind: "covered" }]);
  });

  it("covers what it covers when it is settled twice", async () => {
    const { backlog, clock } = aBacklog();
    clock.step(60_000);
    await backlog.clear([received(0)]);
    await backlog.settle([pushed(received(0), true, 60_000)]);
    await backlog.settle([pushed(received(0), true, 60_000)]);
    expect(await backlog.clear([received(0)])).toEqual([{ kind: "covered" }]);
  });

  it("does not cover what was received after it left, which waits for the next window", async () => {
    const { backlog, clock } = aBacklog();
    await backlog.clear([received(0)]);
    clock.step(3_000);
    await backlog.settle([pushed(received(0), true)]);
    expect(await backlog.clear([received(500)])).toEqual([{ kind: "later", after: 20_000 }]);
    clock.step(19_999);
    expect(await backlog.clear([received(500)])).toEqual([{ kind: "later", after: 1 }]);
    clock.step(1);
    expect(await backlog.clear([received(500)])).toMatchObject([{ kind: "go" }]);
  });

  // Seen to fail with a window that counts from the clearance: two pushes of a device left within milliseconds when
  // the push service came back, to 3 and to 150 of 5,000 devices in two of three outages.
  it("that waited for a connection in its worker's hand begins its window when it is accepted", async () => {
    const { backlog, clock } = aBacklog();
    const behind = aBacklog(new ManualClock(start + 9_000)).backlog;
    await backlog.clear([received(-2_000)]);
    clock.step(10_000);
    await backlog.settle([pushed(received(-2_000), true)]);
    expect(await backlog.clear([received(5_000)])).toEqual([{ kind: "later", after: 20_000 }]);
    // The clock of this worker's host is a second behind.
    expect(await behind.clear([received(5_000)])).toEqual([{ kind: "later", after: 21_000 }]);
    expect(await backlog.clear([received(-1_001)])).toEqual([{ kind: "covered" }]);
  });

  // Seen to fail: with a quiet push that covers what came urgent, and with a quiet newest that is sent as it is.
  it("that is not urgent covers nothing urgent, and an urgent one goes for both", async () => {
    const { backlog, clock } = aBacklog();
    clock.step(60_000);
    const quiet = { ...received(30_000), urgent: false };
    expect(await backlog.clear([quiet])).toMatchObject([{ kind: "go", urgent: false }]);
    await backlog.settle([pushed(quiet, true, 60_000)]);
    clock.step(20_000);
    expect(await backlog.clear([quiet])).toEqual([{ kind: "covered" }]);
    const both = [received(10_000), { ...received(20_000), urgent: false }];
    expect(await backlog.clear(both)).toMatchObject([{ kind: "later" }, { kind: "go", urgent: true }]);
    await backlog.settle([pushed({ ...received(20_000), urgent: true }, true, 80_000)]);
    expect(await backlog.clear(both)).toEqual([{ kind: "covered" }, { kind: "covered" }]);
  });

  it("and another of its device whose clearance ran out count both, settled in one call", async () => {
    const { backlog, clock } = aBacklog();
    clock.step(10_000);
    await backlog.clear([received(0)]);
    clock.step(25_000);
    await backlog.clear([received(0)]);
    clock.step(1_000);
    await backlog.settle([pushed(received(0), true, 10_000), pushed(received(0), false, 35_000)]);
    expect(await backlog.clear([received(0)])).toEqual([{ kind: "covered" }]);
    expect(await backlog.clear([received(34_000)])).toEqual([{ kind: "later", after: 20_000 }]);
  });

  it("that was accepted while clocks were ahead covers nothing when that time has come", async () => {
    const { backlog, clock } = aBacklog();
    clock.step(600_000);
    await backlog.clear([received(0)]);
    await backlog.settle([pushed(received(0), true, 600_000)]);
    clock.step(-540_000);
    expect(await backlog.clear([received(50_000)])).toMatchObject([{ kind: "go" }]);
    await backlog.settle([pushed(received(50_000), false, 60_000)]);
    clock.step(545_000);
    expect(await backlog.clear([received(595_000)])).toMatchObject([{ kind: "go" }]);
  });

  it("is no longer told of times that lie ahead, whatever it is told", async () => {
    const { backlog, clock } = aBacklog();
    clock.step(60_000);
    const key = keys.accepted(deviceKeyOf(secret, aToken(), aModule()));
    await redis.set(key, [start + 600_000, start + 600_000, start + 59_000, 0].join(" "));
    expect(await backlog.clear([received(50_000)])).toEqual([{ kind: "later", after: 19_000 }]);
    expect(await redis.get(key)).toBe([0, 0, start + 59_000, 0].join(" "));
  });

  it("that was not accepted covers nothing and holds nobody up", async () => {
    const { backlog } = aBacklog();
    await backlog.clear([received(0)]);
    await backlog.settle([pushed(received(0), false)]);
    expect(await backlog.clear([received(-60_000)])).toMatchObject([{ kind: "go" }]);
  });

  it("that failed does not take back what an earlier one covered", async () => {
    const { backlog, clock } = aBacklog();
    await backlog.clear([received(0)]);
    await backlog.settle([pushed(received(0), true)]);
    clock.step(30_000);
    await backlog.clear([received(29_000)]);
    await backlog.settle([pushed(received(29_000), false, 30_000)]);
    expect(await backlog.clear([received(-2_000)])).toEqual([{ kind: "covered" }]);
    expect(await backlog.clear([received(29_000)])).toMatchObject([{ kind: "go" }]);
  });

  it("that took longer than its clearance covers what was received before it left, and not more", async () => {
    const { backlog, clock } = aBacklog();
    expect(await backlog.clear([received(0)])).toMatchObject([{ kind: "go", clearedAt: start }]);
    clock.step(25_000);
    expect(await backlog.clear([received(22_000)])).toMatchObject([
      { kind: "go", clearedAt: start + 25_000 },
    ]);
    await backlog.settle([pushed(received(0), true)]);
    await backlog.settle([pushed(received(22_000), false, 25_000)]);
    expect(await backlog.clear([received(22_000)])).not.toEqual([{ kind: "covered" }]);
    expect(await backlog.clear([received(-1_000)])).toEqual([{ kind: "covered" }]);
  });

  it("whose worker died holds its device up for 25 s", async () => {
    const { backlog, clock } = aBacklog();
    await backlog.clear([received(0)]);
    clock.step(24_999);
    expect(await backlog.clear([received(0)])).toEqual([{ kind: "later", after: 1 }]);
    clock.step(1);
    expect(await backlog.clear([received(0)])).toMatchObject([{ kind: "go" }]);
    expect(await backlog.clear([received(0)])).toEqual([{ kind: "later", after: 25_000 }]);
  });

  it("is one for several wakeups of a device, and none of another module's", async () => {
    const { backlog } = aBacklog();
    const other = { ...received(0), module: aModule("other") };
    expect(
      (await backlog.clear([received(0), received(1), received(0, 7), other])).map(({ kind }) => kind),
    ).toEqual(["later", "go", "go", "go"]);
  });

  it("leaves nothing behind for longer than the longest deadline", async () => {
    const { backlog } = aBacklog();
    const key = keys.accepted(deviceKeyOf(secret, aToken(), received(0).module));
    const lasts = async (): Promise<number> => redis.pttl(key);
    await backlog.clear([received(0)]);
    expect(await lasts()).toBeGreaterThan(minutes(59));
    expect(await lasts()).toBeLessThanOrEqual(hours(1));
    await backlog.settle([pushed(received(0), true)]);
    expect(await lasts()).toBeGreaterThan(minutes(59));
    expect(await lasts()).toBeLessThanOrEqual(hours(1));
  });

  /** Seen to fail by `<` for `<=` and back in each comparison of `clear.lua`, and without each limit. */
  it("is cleared as the rule says", async () => {
    const now = epochMillis(start + 3_600_000);
    const edge = fc.constantFrom(
      0,
      1,
      999,
      1_000,
      1_001,
      24_999,
      25_000,
      25_001,
      18_999,
      19_000,
      19_001,
      20_000,
      -1,
      -1_000,
      -1_001,
    );
    const past = fc
      .oneof(edge, fc.integer({ min: -5_000, max: 60_000 }))
      .map((ago) => epochMillis(now - ago));
    const time = fc.option(past, { nil: undefined });
    const follows = async (
      [coversUntil, coversUrgentUntil, acceptedAt, clearedAt]: readonly (typeof now | undefined)[],
      before: number,
      urgentBefore: number | undefined,
      callerBehind: number,
    ): Promise<void> => {
      const receivedAt = epochMillis((coversUntil ?? now) - before);
      const wakeup = { ...received(receivedAt - start), urgent: urgentBefore === 0 };
      const urgentAt = urgentBefore === undefined ? undefined : epochMillis(receivedAt - urgentBefore);
      const older =
        urgentBefore === undefined || urgentBefore === 0 ? [] : [received(receivedAt - urgentBefore - start)];
      const key = keys.accepted(deviceKeyOf(secret, wakeup.token, wakeup.module));
      await redis.set(
        key,
        [coversUntil, coversUrgentUntil, acceptedAt, clearedAt].map((time) => time ?? 0).join(" "),
      );
      const asked = redisBacklog({
        redis,
        region,
        secret,
        clock: new ManualClock(now),
        redisTime: () => later(now, millis(callerBehind)),
        longestDeadline: () => hours(1),
        windowOf: () => seconds(20),
      });
      const pushed = {
        ...(coversUntil === undefined ? {} : { coversUntil }),
        ...(coversUrgentUntil === undefined ? {} : { coversUrgentUntil }),
        ...(acceptedAt === undefined ? {} : { acceptedAt }),
        ...(clearedAt === undefined ? {} : { clearedAt }),
      };
      const asking = { receivedAt, window: seconds(20), ...(urgentAt === undefined ? {} : { urgentAt }) };
      expect((await asked.clear([...older, wakeup])).at(-1)).toEqual(clearanceOf(pushed, asking, now));
    };
    const before = fc.oneof(fc.constantFrom(0, 999, 1_000, 1_001), fc.integer({ min: -5_000, max: 60_000 }));
    const times = fc.tuple(time, time, time, time);
    const urgentBefore = fc.constantFrom(undefined, 0, 1, 1_000, 20_000);
    const property = fc.asyncProperty(times, before, urgentBefore, fc.constantFrom(0, 5_000), follows);
    await fc.assert(property, { numRuns: 1_000 });
  });
});
