import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import {
  aRegion,
  aToken,
  aWakeup,
  freePort,
  ManualClock,
  startRedis,
  type TestRedis,
  until,
} from "@reveille/testkit";
import { epochMillis, millis, minutes, type PushEvent, redisKeysOf, seconds } from "@reveille/wakeup";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished, vi } from "vitest";

import { consumeWakeups, openWakeupQueue, openWorkerRedis, rewriteAppendOnlyFiles } from "./index.ts";

const APPEND_ONLY = ["--appendonly", "yes", "--appendfsync", "always"];
const EVERY = minutes(10);
const region = aRegion();
const LEASE = redisKeysOf(region).appendOnlyFileRewrite;

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

/** As a job contains a token. */
const inRedis = (token: string): string => Buffer.from(token, "hex").toString("base64url");

/** A process of the region that rewrites, and the events that it tells. Disposed with the test. */
function aRewriter(redis: Redis) {
  const events: PushEvent[] = [];
  const clock = new ManualClock();
  const observe = (event: PushEvent): void => void events.push(event);
  const rewriter = rewriteAppendOnlyFiles({ redis, region, clock, observe, every: EVERY });
  onTestFinished(async () => rewriter[Symbol.asyncDispose]());
  /** Until it has looked, and waits for its next look. */
  const look = async (): Promise<void> => {
    await until(() => (clock.sleepers > 0 ? true : undefined), { what: "a sleep", withinMs: 20_000 });
    await clock.advance(minutes(1));
    await until(() => (clock.sleepers > 0 ? true : undefined), { what: "a look", withinMs: 20_000 });
  };
  return { events, look };
}

/** A wakeup that went through the queue and is done. */
async function aWakeupDone(server: TestRedis, token: ReturnType<typeof aToken>): Promise<void> {
  const clock = {
    now: () => epochMillis(Date.now()),
    monotonic: () => millis(performance.now()),
    sleep: realSleep,
  };
  const observe = (): void => undefined;
  const settings = { url: `redis+unix://${server.path}` };
  const redis = await openWorkerRedis(settings, { connection: "worker", clock, observe });
  const queue = await openWakeupQueue({ redis, region, node: "s1", clock, observe });
  const handled = Promise.withResolvers<void>();
  const consumer = await consumeWakeups({
    redis,
    region,
    node: "s1",
    batchesAtOnce: 1,
    clock,
    observe,
    handle: async (wakeups) => {
      handled.resolve();
      return wakeups.map(() => ({ kind: "done" }) as const);
    },
  });
  await queue.add([aWakeup({ token })]);
  await handled.promise;
  await consumer[Symbol.asyncDispose]();
  await queue[Symbol.asyncDispose]();
  redis.disconnect();
}

/** BullMQ waits by the real clock. */
const realSleep = async (duration: number, signal?: AbortSignal): Promise<void> => {
  const done = AbortSignal.any([AbortSignal.timeout(duration), ...(signal === undefined ? [] : [signal])]);
  if (!done.aborted) await new Promise((resolve) => done.addEventListener("abort", resolve, { once: true }));
};

const started = (part: "primary" | "replica"): PushEvent => ({
  kind: "append-only-file-rewrite",
  part,
  outcome: "started",
});

describe("the rewrite of Redis' append-only files", () => {
  it("takes the token of a wakeup that is done from the disk, at each turn", async () => {
    await using server = await startRedis(APPEND_ONLY);
    const redis = await server.connect();
    const { events, look } = aRewriter(redis);
    for (const turn of [1, 2]) {
      const token = aToken(`turn ${turn}`);
      await aWakeupDone(server, token);
      expect(await isOnDisk(server, inRedis(token))).toBe(true);
      await look();
      await gone(server, inRedis(token));
      expect(events).toEqual(Array.from({ length: turn }, () => started("primary")));
      // Redis has a clock of its own: its lease is over when ours says so.
      expect(await redis.pttl(LEASE)).toBeGreaterThan(EVERY - minutes(1));
      await redis.del(LEASE);
    }
  });

  it("takes it from the disks of replicas, too", async () => {
    const [port, replicaPort] = [await freePort(), await freePort()];
    await using server = await startRedis([...APPEND_ONLY, "--port", String(port), "--bind", "127.0.0.1"]);
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
    onTestFinished(() => redis.disconnect());
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
    const { events, look } = aRewriter(redis);
    await look();
    await Promise.all([gone(server, token), gone(replica, token)]);
    expect(events).toEqual([started("primary"), started("replica")]);
  });

  it("is done by one process of a region at a time", async () => {
    await using server = await startRedis(APPEND_ONLY);
    const redis = await server.connect();
    const [one, other] = [aRewriter(redis), aRewriter(redis)];
    await Promise.all([one.look(), other.look()]);
    expect([...one.events, ...other.events]).toEqual([started("primary")]);
  });

  it("is due again in half a minute where a process ends between the lease and the command", async () => {
    await using server = await startRedis(APPEND_ONLY);
    const redis = await server.connect();
    // It asks once before the lease.
    const info = vi.spyOn(redis, "info");
    info.mockResolvedValueOnce("aof_enabled:1").mockRejectedValueOnce(new Error("connection lost"));
    const { events, look } = aRewriter(redis);
    await look();
    expect(info).toHaveBeenCalledTimes(2);
    expect(events).toEqual([]);
    const left = await redis.pttl(LEASE);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(seconds(30));
  });

  it("is due again soon where a rewrite was under way, since that may have begun before the last tokens came", async () => {
    await using server = await startRedis([...APPEND_ONLY, "--rdb-key-save-delay", "100000"]);
    const redis = await server.connect();
    await redis.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "v"])));
    await redis.bgrewriteaof();
    const { events, look } = aRewriter(redis);
    await look();
    expect(events).toEqual([]);
    expect(await redis.pttl(LEASE)).toBeLessThanOrEqual(minutes(1));
  });

  it("tells of a rewrite that did not come to its end, and begins another one at the next look", async () => {
    await using server = await startRedis([...APPEND_ONLY, "--rdb-key-save-delay", "100000"]);
    const redis = await server.connect();
    await redis.mset(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, "v"])));
    const { events, look } = aRewriter(redis);
    await look();
    await redis.config("SET", "rdb-key-save-delay", "0");
    await killChildOf(server.pid);
    await until(
      async () => (/aof_last_bgrewrite_status:err/.test(await redis.info("persistence")) ? true : undefined),
      { what: "the end of the child", withinMs: 20_000 },
    );
    await look();
    expect(events).toEqual([
      started("primary"),
      { kind: "append-only-file-rewrite", part: "primary", outcome: "failed" },
      started("primary"),
    ]);
  });

  it("leaves a Redis without such a file alone", async () => {
    await using server = await startRedis();
    const { events, look } = aRewriter(await server.connect());
    await look();
    expect(events).toEqual([]);
  });

  it("tells that Redis refuses, by the first word of its answer", async () => {
    await using server = await startRedis([...APPEND_ONLY, "--rename-command", "BGREWRITEAOF", ""]);
    const { events, look } = aRewriter(await server.connect());
    await look();
    expect(events).toEqual([
      { kind: "append-only-file-rewrite", part: "primary", outcome: "refused", because: "ERR" },
    ]);
  });
});

/** The process that writes the file is a child of Redis. */
async function killChildOf(pid: number): Promise<void> {
  const children = await until(
    async () => {
      const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
      return text.trim() === "" ? undefined : text.trim().split(" ").map(Number);
    },
    { what: "a child of Redis", withinMs: 20_000 },
  );
  for (const child of children) process.kill(child, "SIGKILL");
}
