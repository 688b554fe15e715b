import { startRedis } from "@reveille/testkit";
import { type PushEvent } from "@reveille/wakeup";
import { describe, expect, it } from "vitest";

import { readPacking, tellPacking } from "./index.ts";

describe("the look at how Redis packs batches", () => {
  it.each<[string, readonly string[], readonly PushEvent[]]>([
    ["tells of a Redis as it comes", [], [{ kind: "redis-packs-loosely", limit: 64 }]],
    ["has nothing to tell of one that packs them", ["--hash-max-listpack-value", "8192"], []],
    ["has nothing to tell where nobody may ask", ["--rename-command", "CONFIG", ""], []],
  ])("%s", async (_what, args, expected) => {
    await using server = await startRedis(args);
    const events: PushEvent[] = [];
    await tellPacking(await server.connect(), (event) => void events.push(event));
    expect(events).toEqual(expected);
  });

  it("is about what Redis does: a body of that many bytes is packed, one more is not", async () => {
    await using server = await startRedis(["--hash-max-listpack-value", "8192"]);
    const redis = await server.connect();
    const limit = (await readPacking(redis))?.limit ?? 0;
    await redis.hset("packed", "data", "x".repeat(limit));
    await redis.hset("loose", "data", "x".repeat(limit + 1));
    expect(await redis.object("ENCODING", "packed")).toBe("listpack");
    expect(await redis.object("ENCODING", "loose")).toBe("hashtable");
  });
});
