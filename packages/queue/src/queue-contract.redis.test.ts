import { setTimeout as delay } from "node:timers/promises";

import { aRegion, aToken, aWakeup, startRedis, type TestRedis } from "@reveille/testkit";
import { epochMillis, millis, QUEUE_NAME, redisKeysOf } from "@reveille/wakeup";
import { type Job, Queue, Worker } from "bullmq";
import { type Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { addJob } from "./add-job.ts";
import { encodeBatch } from "./batch.ts";
import { batchIds } from "./batch-id.ts";
import { type BatchSource, openBatchSource, type TakenBatch } from "./batch-source.ts";
import { discardBatches } from "./discard.ts";
import { openWorkerRedis } from "./open-redis.ts";

// What our scripts leave in Redis must be what BullMQ's would: it waits for work, brings stalled jobs back, counts and
// adds. Seen to fail: exchange.lua without the line that puts the marker back, postpone.lua without the priority.

const clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration: number) => delay(duration),
};
const region = aRegion();
const prefix = redisKeysOf(region).queuePrefix;

let server: TestRedis;
let redis: Redis;
let queue: Queue;
beforeAll(async () => {
  server = await startRedis();
  redis = await openWorkerRedis(
    { url: `redis+unix://${server.path}` },
    { connection: "w", clock, observe: () => undefined },
  );
});
afterAll(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await redis.flushall();
  queue = new Queue(QUEUE_NAME, { connection: redis, prefix });
  await queue.waitUntilReady();
});

const body = (...seeds: readonly number[]) =>
  encodeBatch(seeds.map((seed) => ({ wakeup: aWakeup({ token: aToken(seed) }), attempt: 1 })));
const add = (jobId: string, options: object = {}): Promise<Job> =>
  queue.add("b", body(1, 2, 3), { jobId, ...options });

async function aSource(): Promise<BatchSource> {
  const source = await openBatchSource({ redis, region, clock, newBatchId: batchIds("test") });
  onTestFinished(async () => source[Symbol.asyncDispose]());
  return source;
}

function bullWorker(): Worker {
  const worker = new Worker(QUEUE_NAME, null, {
    connection: redis,
    prefix,
    autorun: false,
    removeOnComplete: { count: 0 },
  });
  onTestFinished(() => worker.close(true));
  return worker;
}

/** All keys of the queue with what they hold, less what is of the moment and what only BullMQ looks at. */
async function state(): Promise<Readonly<Record<string, unknown>>> {
  const held: Record<string, unknown> = {};
  for (const key of (await redis.keys(`${prefix}:*`)).toSorted()) {
    const name = key.slice(`${prefix}:${QUEUE_NAME}:`.length);
    if (["events", "meta", "id", "stalled-check", "since", "since-again"].includes(name)) continue;
    held[name] = await valueOf(key, name);
  }
  return held;
}

async function valueOf(key: string, name: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case "list":
      return redis.lrange(key, 0, -1);
    case "zset":
      return name === "prioritized"
        ? redis.zrange(key, "0", "-1", "WITHSCORES")
        : redis.zrange(key, "0", "-1");
    case "hash": {
      const { processedOn: _on, ats: _attempts, timestamp: _added, ...fields } = await redis.hgetall(key);
      return fields;
    }
    default:
      return "set";
  }
}

async function taken(source: BatchSource): Promise<TakenBatch> {
  const [batch] = await source.take(1);
  if (batch === undefined) throw new Error("no batch");
  return batch;
}

async function bullTakes(worker: Worker): Promise<Job> {
  const job = await worker.getNextJob("token", { block: false });
  if (job === undefined) throw new Error("no job");
  return job;
}

/** The state after BullMQ has acted, and after we have. */
async function both(
  prepare: () => Promise<unknown>,
  bull: (worker: Worker) => Promise<unknown>,
  ours: (source: BatchSource) => Promise<unknown>,
): Promise<readonly [unknown, unknown]> {
  await prepare();
  await bull(bullWorker());
  const theirs = await state();
  await redis.flushall();
  await queue.waitUntilReady();
  await prepare();
  await ours(await aSource());
  return [theirs, await state()];
}

describe("a batch in Redis, after our scripts and after BullMQ's", () => {
  it.each([
    ["at the end", false, ["a-2", "a-1"]],
    ["in front of all", true, ["a-1", "a-2"]],
  ])("is the same when it was added %s", async (_where, isFirst, order) => {
    const data = JSON.stringify(body(1, 2, 3));
    const withoutOptions = (held: object): unknown =>
      JSON.parse(JSON.stringify(held, (name, value: unknown) => (name === "opts" ? "of BullMQ" : value)));
    await add("a-1");
    await add("a-2", { lifo: isFirst });
    const theirs = withoutOptions(await state());
    await redis.flushall();
    await queue.waitUntilReady();
    const ours = { data, now: Date.now() };
    await addJob(redis, queue.toKey, { ...ours, id: "a-1", isFirst: false });
    await addJob(redis, queue.toKey, { ...ours, id: "a-2", isFirst });
    await addJob(redis, queue.toKey, { ...ours, id: "a-1", isFirst: false });
    expect(withoutOptions(await state())).toEqual(theirs);
    expect(await redis.lrange(`${prefix}:${QUEUE_NAME}:wait`, 0, -1)).toEqual(order);
  });

  it("is served by BullMQ's worker when we have added it, and wakes nobody while the queue is paused", async () => {
    await queue.pause();
    await addJob(redis, queue.toKey, { id: "a-1", data: '{"x":1}', now: Date.now(), isFirst: false });
    expect(await redis.exists(`${prefix}:${QUEUE_NAME}:marker`)).toBe(0);
    const served: unknown[] = [];
    const worker = new Worker(QUEUE_NAME, async (job) => void served.push(job.data), {
      connection: redis,
      prefix,
    });
    onTestFinished(() => worker.close(true));
    await queue.resume();
    await vi.waitFor(() => expect(served).toEqual([{ x: 1 }]));
  });

  it("is the same when it was taken", async () => {
    const [theirs, ours] = await both(async () => [await add("a-1"), await add("a-2")], bullTakes, taken);
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ active: ["a-1"], wait: ["a-2"], marker: ["0"] });
  });

  it("is the same when one that was tried before was taken", async () => {
    const retried = { priority: 1, delay: 1 };
    const [theirs, ours] = await both(
      async () => {
        await add("a-1", retried);
        await add("a-2", retried);
        await delay(5);
      },
      bullTakes,
      taken,
    );
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ active: ["a-1"] });
  });

  // Each would be a call of its own otherwise.
  it("lets settled batches go with the next that are taken, or after 20 ms", async () => {
    await add("a-1");
    await add("a-2");
    const source = await aSource();
    const first = await taken(source);
    await redis.config("RESETSTAT");
    const finished = first.finish();
    const second = await taken(source);
    expect(await finished).toBe(true);
    expect(await redis.exists(`${prefix}:${QUEUE_NAME}:a-1`)).toBe(0);
    expect(await redis.info("commandstats")).toMatch(/cmdstat_evalsha:calls=1,/);
    expect(await second.finish()).toBe(true);
    expect(await redis.exists(`${prefix}:${QUEUE_NAME}:a-2`)).toBe(0);
  });

  it("waits until a batch is added, or until one that was put off is due", async () => {
    const source = await aSource();
    expect(await source.take(1)).toEqual([]);
    const added = source.wait();
    await addJob(redis, queue.toKey, { id: "a-1", data: "{}", now: Date.now(), isFirst: false });
    await added;
    const since = performance.now();
    await (await taken(source)).leave(200);
    expect(await source.take(1)).toEqual([]);
    await source.wait();
    expect(performance.now() - since).toBeGreaterThanOrEqual(195);
    expect(performance.now() - since).toBeLessThan(2_000);
    expect(await source.take(1)).toHaveLength(1);
  });

  it.each([
    ["that was added", {}],
    ["that was tried before", { priority: 1, delay: 1 }],
  ])("leaves word for whoever waits that there is another one %s", async (_what, options) => {
    await add("a-1", options);
    await add("a-2", options);
    await delay(5);
    const source = await aSource();
    // As a worker leaves it that was woken.
    await redis.del(`${prefix}:${QUEUE_NAME}:marker`);
    expect(await source.take(1)).toHaveLength(1);
    expect(await state()).toMatchObject({ marker: ["0"] });
    await redis.del(`${prefix}:${QUEUE_NAME}:marker`);
    expect(await source.take(2)).toHaveLength(1);
    expect(await redis.exists(`${prefix}:${QUEUE_NAME}:marker`)).toBe(0);
  });

  it("is gone when it was discarded, unless a worker has it in hand", async () => {
    const [theirs, ours] = await both(
      async () => {
        await add("a-1");
        await bullTakes(bullWorker());
        await add("a-2");
        await add("a-3", { priority: 1 });
        await add("a-4", { delay: 60_000 });
      },
      async () => [await aSource(), await queue.drain(true)],
      () => discardBatches(redis, queue.toKey, 1_000),
    );
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ active: ["a-1"] });
    const job = `${prefix}:${QUEUE_NAME}:a-1`;
    expect((await redis.keys(`${prefix}:${QUEUE_NAME}:a-*`)).toSorted()).toEqual([job, `${job}:lock`]);
  });

  it("is discarded up to a number, the oldest first", async () => {
    await add("a-1");
    await add("a-2");
    await add("a-3", { priority: 1 });
    expect(await discardBatches(redis, queue.toKey, 1)).toBe(1);
    expect(await state()).toMatchObject({ wait: ["a-2"] });
    expect(await discardBatches(redis, queue.toKey, 5)).toBe(2);
  });

  it("is gone when it was finished", async () => {
    const [theirs, ours] = await both(
      () => add("a-1"),
      async (worker) => {
        const job = await bullTakes(worker);
        await job.moveToCompleted(undefined, "token", false);
      },
      async (source) => (await taken(source)).finish(),
    );
    expect(ours).toEqual({ marker: ["0"] });
    expect(theirs).toEqual(ours);
  });

  it("is the same when it was postponed", async () => {
    const left = body(2);
    const [theirs, ours] = await both(
      () => add("a-1"),
      async (worker) => {
        const job = await bullTakes(worker);
        const fieldsToUpdate = { data: JSON.stringify(left), priority: 1 };
        const options = { skipAttempt: true, fieldsToUpdate };
        await worker.getBackend().moveToDelayed(job.id ?? "", Date.now(), 60_000, "token", options);
      },
      async (source) => {
        const wakeup = aWakeup({ token: aToken(2) });
        const wakeups = [{ wakeup, attempt: 1, again: false, overtakes: false }];
        await (await taken(source)).postpone([{ after: millis(60_000), wakeups }]);
      },
    );
    expect(ours).toEqual(theirs);
    expect(ours).toMatchObject({ delayed: ["a-1"], "a-1": { delay: "60000", priority: "1" } });
  });

  it("is read by BullMQ when it was split, and served by its worker when its time has come", async () => {
    await add("a-1");
    const source = await aSource();
    const of = (seed: number) => [
      { wakeup: aWakeup({ token: aToken(seed) }), attempt: 2, again: false, overtakes: false },
    ];
    await (
      await taken(source)
    ).postpone([
      { after: millis(40), wakeups: of(1) },
      { after: millis(20), wakeups: of(2) },
      { after: millis(60_000), wakeups: of(3) },
    ]);
    expect(await queue.getJobCounts("delayed", "active", "waiting")).toEqual({
      delayed: 3,
      active: 0,
      waiting: 0,
    });
    const served: string[] = [];
    const worker = new Worker(QUEUE_NAME, async (job) => void served.push(JSON.stringify(job.data)), {
      connection: redis,
      prefix,
    });
    await vi.waitFor(() => expect(served).toHaveLength(2));
    await worker.close();
    const bodyOf = (seed: number): string => JSON.stringify(encodeBatch(of(seed)));
    expect(served).toEqual([bodyOf(2), bodyOf(1)]);
    const [last] = await queue.getDelayed();
    expect(last).toMatchObject({ name: "b", data: encodeBatch(of(3)), priority: 1, delay: 60_000 });
  });

  it("stays where it is while the queue is paused", async () => {
    await add("a-1");
    await queue.pause();
    const source = await aSource();
    expect(await source.take(5)).toEqual([]);
    await queue.resume();
    expect(await source.take(5)).toHaveLength(1);
  });
});

describe("a batch whose lock ran out", () => {
  const key = (name: string): string => `${prefix}:${QUEUE_NAME}:${name}`;
  /** What BullMQ's check does when it finds a job without a lock twice. */
  async function putBack(id: string): Promise<void> {
    await redis.del(key(`${id}:lock`));
    await redis.lrem(key("active"), 1, id);
    await redis.hincrby(key(id), "stc", 1);
    await redis.rpush(key("wait"), id);
  }

  it("keeps its lock when that is renewed before anybody has noticed", async () => {
    await add("a-1");
    const source = await aSource();
    await taken(source);
    await redis.del(key("a-1:lock"));
    await redis.sadd(key("stalled"), "a-1");
    await source.renewLocks();
    expect(await redis.exists(key("a-1:lock"))).toBe(1);
    expect(await redis.smembers(key("stalled"))).toEqual([]);
  });

  it("is finished all the same if nobody else has it yet", async () => {
    await add("a-1");
    const batch = await taken(await aSource());
    await putBack("a-1");
    expect(await batch.finish()).toBe(true);
    expect(await state()).toEqual({ marker: ["0"] });
  });

  it("is shrunk all the same if nobody else has it yet", async () => {
    await add("a-1");
    const batch = await taken(await aSource());
    await putBack("a-1");
    const wakeups = [{ wakeup: aWakeup({ token: aToken(2) }), attempt: 2, again: false, overtakes: false }];
    expect(await batch.postpone([{ after: millis(60_000), wakeups }])).toBe(true);
    expect(await queue.getJobCounts("delayed", "waiting")).toEqual({ delayed: 1, waiting: 0 });
  });

  it("is left to another worker that has it, and told as lost", async () => {
    await add("a-1");
    await add("a-2");
    const source = await aSource();
    const [one, two] = await source.take(2);
    for (const id of ["a-1", "a-2"]) await putBack(id);
    const other = await aSource();
    expect(await other.take(2)).toHaveLength(2);
    expect(await one?.finish()).toBe(false);
    const wakeups = [{ wakeup: aWakeup(), attempt: 2, again: false, overtakes: false }];
    expect(await two?.postpone([{ after: millis(10), wakeups }])).toBe(false);
    expect(await queue.getJobCounts("active", "delayed")).toEqual({ active: 2, delayed: 0 });
  });

  // Seen to fail: the id stayed among the delayed ones.
  it("is finished for good even if another worker had it meanwhile and has put it off", async () => {
    await add("a-1");
    const batch = await taken(await aSource());
    await putBack("a-1");
    const wakeups = [{ wakeup: aWakeup({ token: aToken(2) }), attempt: 2, again: false, overtakes: false }];
    await (await taken(await aSource())).postpone([{ after: millis(10), wakeups }]);
    expect(await batch.finish()).toBe(true);
    expect(Object.keys(await state()).filter((name) => name !== "marker")).toEqual([]);
  });

  it("leaves nothing behind of a job whose data is gone", async () => {
    await add("a-1");
    await redis.del(key("a-1"));
    await redis.hset(key("a-1"), "delay", "0");
    const source = await aSource();
    expect(await source.take(5)).toEqual([]);
    expect(Object.keys(await state()).filter((name) => name !== "marker")).toEqual([]);
  });

  it("goes on under its new lock when it comes back to the worker that is still at it", async () => {
    await add("a-1");
    const source = await aSource();
    const batch = await taken(source);
    await putBack("a-1");
    expect(await source.take(5)).toEqual([]);
    expect(await queue.getJobCounts("active")).toEqual({ active: 1 });
    expect(await batch.finish()).toBe(true);
    expect(await state()).toEqual({ marker: ["0"] });
  });

  it("makes no second job of a group when the call is repeated", async () => {
    await add("a-1");
    const batch = await taken(await aSource());
    const wakeups = [{ wakeup: aWakeup(), attempt: 2, again: false, overtakes: false }];
    const groups = [
      { after: millis(60_000), wakeups },
      { after: millis(10_000), wakeups },
    ];
    expect(await batch.postpone(groups)).toBe(true);
    const before = await state();
    expect(await batch.postpone(groups)).toBe(true);
    expect(await state()).toEqual(before);
  });
});
