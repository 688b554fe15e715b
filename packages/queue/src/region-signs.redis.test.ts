import { aRegion, ManualClock, startRedis } from "@reveille/testkit";
import { type Clock, redisKeysOf, seconds, type Sign } from "@reveille/wakeup";
import { type Redis } from "ioredis";
import { describe, expect, it, vi } from "vitest";

import { openRegionSigns, watchRegionHealth } from "./index.ts";
import { type QueueStanding } from "./wakeup-queue.ts";

const region = aRegion();
const keys = redisKeysOf(region);
const ALL: readonly Sign[] = ["ingress", "worker", "batch-taken", "stand-in"];

/** Lets a round begin and end. */
async function nextRound(clock: ManualClock): Promise<void> {
  await clock.advance(seconds(1));
  await vi.waitUntil(() => clock.sleepers > 0);
}

const open = (redis: Redis, clock: Clock, give: () => readonly Sign[], host = "s1") =>
  openRegionSigns({ redis, region, host, clock, give });

describe("the signs of a region", () => {
  it("given by one process are seen by the others, and lapse when it gives them no more", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const clock = new ManualClock();
    let able = true;
    await using worker = await open(redis, clock, () => (able ? ["worker"] : []));
    const others = new ManualClock();
    await using ingress = await open(await server.connect(), others, () => ["ingress"]);
    expect(ALL.filter((sign) => ingress.sees(sign))).toEqual(["ingress", "worker"]);
    expect(await redis.pttl(keys.sign("worker"))).toBeGreaterThan(3_000);
    able = false;
    await nextRound(clock);
    expect(worker.sees("worker")).toBe(true);
    // What its time to live would do in four seconds.
    await redis.pexpire(keys.sign("worker"), 1);
    await vi.waitUntil(async () => (await redis.exists(keys.sign("worker"))) === 0);
    await nextRound(others);
    expect(ingress.sees("worker")).toBe(false);
  });

  it("tell whether another host gave them", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const [clock, others] = [new ManualClock(), new ManualClock()];
    await using own = await open(redis, clock, () => ["wants-place"], "s1");
    await using other = await open(redis, others, () => [], "s2");
    expect([own, other].map((signs) => signs.sees("wants-place"))).toEqual([true, true]);
    expect([own, other].map((signs) => signs.seesElsewhere("wants-place"))).toEqual([false, true]);
    expect(other.seesElsewhere("worker")).toBe(false);
  });

  it("tell that Redis takes no writes, and trust nothing seen before", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    const clock = new ManualClock();
    await using signs = await open(redis, clock, () => ["ingress", "worker"]);
    expect(signs.trouble()).toBeUndefined();
    await redis.config("SET", "min-replicas-to-write", "1");
    await nextRound(clock);
    expect(signs.trouble()).toMatch(/^NOREPLICAS/);
    expect(signs.sees("worker")).toBe(false);
    await redis.config("SET", "min-replicas-to-write", "0");
    await nextRound(clock);
    expect(signs.trouble()).toBeUndefined();
    expect(signs.sees("worker")).toBe(true);
  });

  it("each lapse by themselves", async () => {
    await using server = await startRedis();
    const redis = await server.connect();
    await using signs = await open(redis, new ManualClock(), () => ALL);
    expect(ALL.every((sign) => signs.sees(sign))).toBe(true);
    const lives = await Promise.all(ALL.map((sign) => redis.pttl(keys.sign(sign))));
    expect(lives.every((life) => life > 0 && life <= 15_000)).toBe(true);
  });
});

describe("the health of what lies behind an ingress", () => {
  const healthy = { paused: false, oldestWaiting: seconds(0) };

  async function aRegionHealth(parts: {
    readonly standing?: QueueStanding | "away";
    readonly seen?: readonly Sign[];
    readonly trouble?: string;
    readonly agreeing?: number;
  }) {
    const { standing = healthy, seen = ["worker"], trouble, agreeing } = parts;
    await using watch = await watchRegionHealth({
      clock: new ManualClock(),
      queue: {
        standing: async () => {
          if (standing === "away") throw new Error("away");
          return standing;
        },
      },
      signs: { sees: (sign) => seen.includes(sign), trouble: () => trouble },
      sentinels: agreeing === undefined ? undefined : { sight: () => ({ configured: 3, agreeing }) },
    });
    return watch
      .health()
      .flatMap(({ part, health }) => (health.kind === "failing" ? [`${part}: ${health.because}`] : []));
  }

  it.each([
    ["all is well", {}, []],
    ["no worker of the region can send", { seen: [] }, ["region-worker: none can send"]],
    ["Redis takes no writes", { trouble: "READONLY" }, ["redis-writes: READONLY"]],
    ["Redis is away", { standing: "away" as const }, ["queue: Redis does not tell"]],
    ["the queue is paused", { standing: { ...healthy, paused: true } }, ["queue: it is paused"]],
    [
      "batches wait and nobody takes them",
      { standing: { ...healthy, oldestWaiting: seconds(11) } },
      ["queue: batches wait and nobody takes them"],
    ],
    [
      "a backlog is being worked off",
      {
        standing: { ...healthy, oldestWaiting: seconds(600) },
        seen: ["worker", "batch-taken"] satisfies readonly Sign[],
      },
      [],
    ],
    ["two of three Sentinels agree", { agreeing: 2 }, []],
    ["one of three Sentinels is in sight", { agreeing: 1 }, ["sentinels: 1 of 3 in sight"]],
  ])("says, when %s, what fails", async (_when, parts, expected) => {
    expect(await aRegionHealth(parts)).toEqual(expected);
  });
});
