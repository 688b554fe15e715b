import { setTimeout as delay } from "node:timers/promises";

import { startRedis } from "@reveille/testkit";
import { type Clock, epochMillis, millis } from "@reveille/wakeup";
import { type Redis } from "ioredis";
import { describe, expect, it, vi } from "vitest";

import { openProducerRedis } from "./index.ts";

const clock: Clock = {
  now: () => epochMillis(Date.now()),
  monotonic: () => millis(performance.now()),
  sleep: async (duration, signal) => delay(duration, undefined, { signal }).catch(() => undefined),
};

/** What a Sentinel's `+switch-master` does to a client that is connecting. */
function cutShort(redis: Redis): void {
  const connector: unknown = Reflect.get(redis, "connector");
  if (typeof connector !== "object" || connector === null) throw new Error("ioredis has no connector");
  const disconnect: unknown = Reflect.get(connector, "disconnect");
  if (typeof disconnect === "function") Reflect.apply(disconnect, connector, []);
}

describe("a connection to Redis", () => {
  it("comes back when a failover has cut short its reconnect, which ioredis takes for the end", async () => {
    await using server = await startRedis();
    const settings = { url: `redis+unix://${server.path}` };
    const redis = await openProducerRedis(settings, {
      connection: "producer",
      clock,
      observe: () => undefined,
    });
    const ended = vi.fn<() => void>();
    redis.on("end", ended);
    redis.once("connecting", () => cutShort(redis));
    await server.restart();
    await vi.waitFor(() => expect(ended).toHaveBeenCalled());
    await vi.waitFor(async () => expect(await redis.ping()).toBe("PONG"));
    redis.disconnect();
  });

  it("stays closed once it is closed", async () => {
    await using server = await startRedis();
    const settings = { url: `redis+unix://${server.path}` };
    const redis = await openProducerRedis(settings, {
      connection: "producer",
      clock,
      observe: () => undefined,
    });
    const ended = new Promise((resolve) => void redis.once("end", resolve));
    const connecting = vi.fn<() => void>();
    redis.on("connecting", connecting);
    redis.disconnect();
    await ended;
    await delay(300);
    expect(connecting).not.toHaveBeenCalled();
  });
});
