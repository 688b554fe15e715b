import { describe, expect, it } from "vitest";

import { startRedis } from "./redis.ts";

describe("a private redis-server", () => {
  it("has its data again after it was killed, when it keeps an AOF", async () => {
    await using server = await startRedis(["--appendonly", "yes", "--appendfsync", "always"]);
    const before = await server.connect();
    await before.set("key", "value");
    await server.restart();
    const after = await server.connect();
    expect(await after.get("key")).toBe("value");
  });
});
