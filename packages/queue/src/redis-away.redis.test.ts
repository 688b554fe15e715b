import { setTimeout as delay } from "node:timers/promises";

import { startRedis } from "@reveille/testkit";
import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { expect, it, vi } from "vitest";

import { isRedisAway, openProducerRedis } from "./index.ts";

const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "no error",
    (error: unknown) => error,
  );

it("an error says whether Redis is away, or will never do what it was asked", async () => {
  await using server = await startRedis();
  const observe = (): void => undefined;
  const settings = { url: `redis+unix://${server.path}` };
  const redis = await openProducerRedis(settings, { connection: "producer", clock, observe });

  await redis.set("text", "x");
  expect(isRedisAway(await errorOf(redis.lpush("text", "y")))).toBe(false);
  expect(isRedisAway(await errorOf(redis.call("NO-SUCH-COMMAND")))).toBe(false);
  expect(isRedisAway(new Error("cannot read AuthKey.p8"))).toBe(false);

  await redis.call("REPLICAOF", "127.0.0.1", "1");
  expect(isRedisAway(await errorOf(redis.set("text", "x")))).toBe(true);
  await vi.waitFor(() => redis.call("REPLICAOF", "NO", "ONE"));

  server.signal("SIGSTOP");
  expect(isRedisAway(await errorOf(redis.ping()))).toBe(true);
  server.signal("SIGCONT");
  await vi.waitFor(() => redis.ping());

  const [inFlight] = await Promise.all([errorOf(redis.blpop("nothing", 0)), server.kill()]);
  expect(isRedisAway(inFlight)).toBe(true);
  expect(isRedisAway(await errorOf(redis.ping()))).toBe(true);
  redis.disconnect();
  expect(isRedisAway(await errorOf(redis.ping()))).toBe(true);
});
