import { freePort, startRedis } from "@reveille/testkit";
import { expect, it, vi } from "vitest";

import { readRedisFacts } from "./index.ts";

it("Redis tells its memory, its part, and how far behind its replica is", async () => {
  await using primary = await startRedis(["--maxmemory", "100mb", "--repl-diskless-sync-delay", "0"]);
  const redis = await primary.connect();
  expect(await readRedisFacts(redis)).toMatchObject({
    part: "primary",
    memory: { limit: 100 * 1024 * 1024 },
    replicas: 0,
    lag: undefined,
  });
  const port = await freePort();
  await redis.config("SET", "port", String(port));
  await using replica = await startRedis(["--replicaof", "127.0.0.1", String(port)]);
  const second = await replica.connect();
  await vi.waitFor(async () => expect((await readRedisFacts(redis))?.replicas).toBe(1), 15_000);
  expect((await readRedisFacts(second))?.part).toBe("replica");
  await vi.waitFor(async () => expect((await readRedisFacts(redis))?.lag?.bytes).toBe(0));
  replica.signal("SIGSTOP");
  await redis.set("key", "x".repeat(10_000));
  await vi.waitFor(async () => {
    const lag = (await readRedisFacts(redis))?.lag;
    expect(lag?.bytes).toBeGreaterThan(10_000);
    expect(lag?.seconds).toBeGreaterThan(0);
  });
  replica.signal("SIGCONT");
});
