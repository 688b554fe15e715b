import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { aRegion, aToken, freePort, ManualClock, startRedis, type TestRedis, until } from "@reveille/testkit";
import { minutes, type PushEvent } from "@reveille/wakeup";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";

import { rewriteIfDue, type RewriteOptions } from "./index.ts";

const APPEND_ONLY = ["--appendonly", "yes", "--appendfsync", "always"];

/** Whether a text is in any file of the server's folder. */
async function isOnDisk({ folder }: Pick<TestRedis, "folder">, text: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map(async (file) => readFile(file).catch(() => Buffer.alloc(0))));
  return contents.some((content) => content.includes(text));
}

const gone = (server: TestRedis, text: string): Promise<true> =>
  until(async () => ((await isOnDisk(server, text)) ? undefined : true), {
    what: "the file being rewritten",
    withinMs: 20_000,
    everyMs: 50,
  });

function optionsFor(redis: Redis): RewriteOptions & { readonly events: PushEvent[] } {
  const events: PushEvent[] = [];
  const observe = (event: PushEvent): void => void events.push(event);
  return { redis, region: aRegion(), clock: new ManualClock(), every: minutes(10), observe, events };
}

describe("the rewrite of Redis' append-only file", () => {
  it("takes the token of a wakeup that is done from the disk", async () => {
    await using server = await startRedis(APPEND_ONLY);
    const redis = await server.connect();
    const token = aToken("done");
    await redis.hset("job", "data", token);
    await redis.del("job");
    expect(await isOnDisk(server, token)).toBe(true);
    const options = optionsFor(redis);
    expect(await rewriteIfDue(options)).toBe(true);
    await gone(server, token);
    expect(options.events).toEqual([
      { kind: "append-only-file-rewrite", part: "primary", outcome: "started" },
    ]);
  });

  it("takes it from the disks of replicas, too", async () => {
    const port = await freePort();
    await using server = await startRedis([...APPEND_ONLY, "--port", String(port), "--bind", "127.0.0.1"]);
    const replicaPort = await freePort();
    await using replica = await startRedis([
      ...APPEND_ONLY,
      "--port",
      String(replicaPort),
      "--bind",
      "127.0.0.1",
      "--replicaof",
      `127.0.0.1 ${port}`,
    ]);
    const redis = new Redis({ host: "127.0.0.1", port });
    const token = aToken("replicated");
    const onReplica = await replica.connect();
    await until(async () => (/state=online/.test(await redis.info("replication")) ? true : undefined), {
      what: "a replica",
      withinMs: 20_000,
    });
    // A replica rewrites its file when it has all data of the primary.
    await until(
      async () =>
        /aof_rewrite_(?:in_progress|scheduled):1/.test(await onReplica.info("persistence"))
          ? undefined
          : true,
      { what: "the replica's own rewrite", withinMs: 20_000 },
    );
    await redis.hset("job", "data", token);
    await redis.del("job");
    await until(async () => ((await isOnDisk(replica, token)) ? true : undefined), {
      what: "the token on the disk of the replica",
      withinMs: 20_000,
    });
    const options = optionsFor(redis);
    await rewriteIfDue(options);
    await Promise.all([gone(server, token), gone(replica, token)]);
    expect(options.events.map((event) => ("part" in event ? event.part : ""))).toEqual([
      "primary",
      "replica",
    ]);
    redis.disconnect();
  });

  it("is done by one process of a region at a time", async () => {
    await using server = await startRedis(APPEND_ONLY);
    const options = optionsFor(await server.connect());
    expect(await Promise.all([rewriteIfDue(options), rewriteIfDue(options)])).toEqual([true, false]);
    expect(await options.redis.pttl(`{${options.region}}aof-rewrite`)).toBeGreaterThan(minutes(9));
  });

  it("is due again soon where a rewrite was under way, since that may have begun before the last tokens came", async () => {
    await using server = await startRedis([...APPEND_ONLY, "--rdb-key-save-delay", "100000"]);
    const options = optionsFor(await server.connect());
    await options.redis.mset(
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "v"])),
    );
    await options.redis.bgrewriteaof();
    expect(await rewriteIfDue(options)).toBe(true);
    expect(options.events).toEqual([]);
    expect(await options.redis.pttl(`{${options.region}}aof-rewrite`)).toBeLessThanOrEqual(minutes(1));
  });

  it("leaves a Redis without such a file alone", async () => {
    await using server = await startRedis();
    const options = optionsFor(await server.connect());
    await rewriteIfDue(options);
    expect(options.events).toEqual([]);
  });

  it("tells that Redis refuses, in one word of its answer", async () => {
    await using server = await startRedis([...APPEND_ONLY, "--rename-command", "BGREWRITEAOF", ""]);
    const options = optionsFor(await server.connect());
    await rewriteIfDue(options);
    expect(options.events).toEqual([
      { kind: "append-only-file-rewrite", part: "primary", outcome: "refused", because: "ERR" },
    ]);
  });
});
