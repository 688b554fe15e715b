import { startRedis } from "@reveille/testkit";
import { type PushEvent } from "@reveille/wakeup";
import { describe, expect, it, vi } from "vitest";

import { watchDurability } from "./index.ts";

const AOF = ["--appendonly", "yes"];

async function told(args: readonly string[], waitReplicas = 0) {
  await using server = await startRedis(args);
  const events: PushEvent[] = [];
  const observe = (event: PushEvent): void => void events.push(event);
  await watchDurability({ redis: await server.connect(), observe, waitReplicas });
  return events.map((event) => (event.kind === "redis-durability-changed" ? event.because : event.kind));
}

describe("the look at what an accepted wakeup is worth", () => {
  it.each([
    ["writes no append-only file", []],
    ["appendfsync everysec", [...AOF, "--appendfsync", "everysec"]],
    ["appendfsync no", [...AOF, "--appendfsync", "no"]],
  ])("tells of a Redis with %s, and what to do", async (weakness, args) => {
    const [because] = await told(args);
    expect(because).toContain(weakness);
    expect(because).toContain("appendfsync always");
  });

  it("has nothing to tell of an append-only file that is written at once, nor of replicas to wait for", async () => {
    expect(await told([...AOF, "--appendfsync", "always"])).toEqual([]);
    expect(await told([], 1)).toEqual([]);
  });

  it("believes an append-only file where nobody may ask for its settings", async () => {
    expect(await told([...AOF, "--rename-command", "CONFIG", ""])).toEqual([]);
  });

  it("looks again at the Redis that it is connected to after a loss", async () => {
    await using server = await startRedis([...AOF, "--appendfsync", "always"]);
    const redis = await server.connect();
    const events: PushEvent[] = [];
    await watchDurability({ redis, observe: (event) => void events.push(event), waitReplicas: 0 });
    await redis.config("SET", "appendfsync", "everysec");
    redis.disconnect(true);
    await vi.waitFor(() => expect(events).toHaveLength(1));
    await redis.config("SET", "appendfsync", "always");
    redis.disconnect(true);
    await vi.waitFor(() => expect(events).toHaveLength(2));
    expect(events[1]).toEqual({ kind: "redis-durability-changed" });
  });
});
