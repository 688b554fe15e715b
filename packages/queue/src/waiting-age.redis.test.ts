import { aRegion, aWakeup, startRedis } from "@reveille/testkit";
import { QUEUE_NAME, redisKeysOf } from "@reveille/wakeup";
import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { addJob, JOB_NAME } from "./add-job.ts";
import { discardBatches } from "./discard.ts";
import { openWakeupQueue } from "./index.ts";
import { queueScripts } from "./queue-scripts.ts";
import { oldestBatches } from "./waiting-age.ts";

let server: Awaited<ReturnType<typeof startRedis>>;
let redis: Redis;
let now = 1_800_000_000_000;
const clock: Clock = {
  now: () => epochMillis(now),
  monotonic: () => millis(now),
  sleep: () => Promise.resolve(),
};
const prefix = `${redisKeysOf(aRegion()).queuePrefix}:${QUEUE_NAME}:`;
const toKey = (type: string): string => `${prefix}${type}`;
const scripts = () =>
  queueScripts({ redis, toKey, now: () => now, lockMs: 10_000, jobName: JOB_NAME, retryPriority: 1 });
const ages = () => oldestBatches({ redis, queue: { toKey }, clock });
const add = async (id: string, isFirst = false) => addJob(redis, toKey, { id, data: "[]", now, isFirst });

beforeAll(async () => {
  server = await startRedis();
  redis = await server.connect();
});
beforeEach(async () => redis.flushall());
afterAll(async () => server[Symbol.asyncDispose]());

it("the oldest of batches between fresh ones at either end has its true age", async () => {
  await add("a-1");
  now += 94_000;
  await add("a-2");
  await add("a-3", true);
  expect(await ages()).toEqual({ any: 94_000, waiting: 94_000 });
});

it("with all workers stopped and 5 publishes a second, the age grows with the clock", async () => {
  await using queue = await openWakeupQueue({
    redis,
    region: aRegion(),
    node: "s1",
    clock,
    observe: () => undefined,
    waitReplicas: 0,
  });
  for (let second = 0; second < 60; second += 1) {
    for (let each = 0; each < 5; each += 1) {
      await queue.add([aWakeup()]);
      now += 200;
    }
  }
  expect(await queue.counts()).toMatchObject({ oldest: 60_000, oldestWaiting: 60_000 });
});

it("a batch in hand, one that is put off and what is split off from it are as old as they are, and wait for nobody", async () => {
  await add("a-1");
  now += 10_000;
  await add("a-2");
  now += 1_000;
  await scripts().exchange([], 1, "t");
  expect(await ages()).toEqual({ any: 11_000, waiting: 1_000 });
  const put = (id: string) => ({ id, delay: 60_000, data: "[]" });
  await scripts().postpone("t", put("a-1"), [put("a-3")]);
  expect(await ages()).toEqual({ any: 11_000, waiting: 1_000 });
  now += 60_000;
  const { taken } = await scripts().exchange([], 3, "u");
  expect(taken.map(({ id }) => id).toSorted()).toEqual(["a-1", "a-2", "a-3"]);
  await scripts().exchange(
    [
      { id: "a-1", token: "u" },
      { id: "a-2", token: "u" },
    ],
    0,
    "v",
  );
  expect(await ages()).toEqual({ any: 71_000, waiting: 0 });
  await scripts().exchange([{ id: "a-3", token: "u" }], 0, "v");
  expect(await ages()).toEqual({ any: 0, waiting: 0 });
  expect(await redis.exists(toKey("since"), toKey("since-again"))).toBe(0);
});

it("what an older worker has finished, or an operator has discarded, is not counted", async () => {
  await add("a-1");
  await add("a-2");
  now += 5_000;
  await add("a-3");
  await redis.del(toKey("a-1"), toKey("a-2"));
  expect(await ages()).toEqual({ any: 0, waiting: 0 });
  expect(await redis.zrange(toKey("since"), "0", "-1")).toEqual(["a-3"]);
  await discardBatches(redis, toKey, 10);
  expect(await redis.exists(toKey("since"))).toBe(0);
});
