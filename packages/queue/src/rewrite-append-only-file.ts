import {
  type Clock,
  failureReason,
  type Millis,
  millis,
  type Observe,
  redisKeysOf,
  type Region,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { isForbidden } from "./quiet-redis.ts";
import { type OnlineReplica, onlineReplicas } from "./redis-facts.ts";

export interface RewriteOptions {
  /** The connection to the primary; stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Time from the start of one rewrite to that of the next. */
  readonly every: Millis;
}

/** So many looks between two rewrites: a rewrite that failed is noticed at the next one. */
const LOOKS = 10;
/** A process that ends between the lease and the command delays a rewrite by so much. */
const LEASE = seconds(30);

/**
 * Has the region's Redis and its replicas rewrite their append-only files (BGREWRITEAOF), so that a device token is on disk for little
 * longer than `every` after its wakeup is done. By a lease one process of the region does it at a time. Disposing ends it.
 */
export function rewriteAppendOnlyFiles(options: RewriteOptions): AsyncDisposable {
  const stop = new AbortController();
  const running = run(options, stop.signal);
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function run(options: RewriteOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    await options.clock.sleep(millis(options.every / LOOKS), signal);
    if (signal.aborted) return;
    try {
      await rewriteIfDue(options);
    } catch {
      // The primary is away: whoever owns the connection tells of that, and the next look tries again.
    }
  }
}

/** What a server did when it was told to rewrite its file; `none`: it has no such file. */
type Rewritten = "started" | "under-way" | "refused" | "unreachable" | "none";

/** Throws what the connection to the primary throws. */
async function rewriteIfDue(options: RewriteOptions): Promise<void> {
  const { redis, region, every } = options;
  const lease = redisKeysOf(region).appendOnlyFileRewrite;
  // The last rewrite of the primary has failed: what it should have removed is there still.
  if (await hasFailed(redis, "primary", options)) await redis.del(lease);
  if ((await redis.set(lease, "1", "PX", LEASE, "NX")) === null) return;
  const results = [await rewrite(redis, "primary", options)];
  for (const replica of onlineReplicas(await redis.info("replication")))
    results.push(await rewriteOf(replica, options));
  // A rewrite that is under way may have begun before the last tokens were written.
  const isWhole = !results.includes("under-way") && !results.includes("unreachable");
  await redis.pexpire(lease, isWhole ? every : Math.round(every / LOOKS));
}

async function rewriteOf({ host, port }: OnlineReplica, options: RewriteOptions): Promise<Rewritten> {
  const connection = options.redis.duplicate({
    host,
    port,
    sentinels: undefined,
    lazyConnect: true,
    connectTimeout: 5_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // `connect` rejects with the same error.
  connection.on("error", () => undefined);
  try {
    await connection.connect();
    await hasFailed(connection, "replica", options);
    return await rewrite(connection, "replica", options);
  } catch (error) {
    options.observe({
      kind: "append-only-file-rewrite",
      part: "replica",
      outcome: "unreachable",
      because: failureReason(error),
    });
    return "unreachable";
  } finally {
    connection.disconnect();
  }
}

type Part = "primary" | "replica";

/** Throws what the connection throws. */
async function rewrite(redis: Redis, part: Part, { observe }: RewriteOptions): Promise<Rewritten> {
  const persistence = await redis.info("persistence");
  if (!isForbidden(persistence) && !/^aof_enabled:1/m.test(persistence)) return "none";
  try {
    await redis.bgrewriteaof();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ReplyError") throw error;
    if (error.message.includes("in progress")) return "under-way";
    observe({
      kind: "append-only-file-rewrite",
      part,
      outcome: "refused",
      because: error.message.split(" ")[0] ?? "",
    });
    return "refused";
  }
  observe({ kind: "append-only-file-rewrite", part, outcome: "started" });
  return "started";
}

/** Whether the last rewrite has not come to its end; told as an event. Throws what the connection throws. */
async function hasFailed(redis: Redis, part: Part, { observe }: RewriteOptions): Promise<boolean> {
  const persistence = await redis.info("persistence");
  const isFailed =
    /^aof_last_bgrewrite_status:err/m.test(persistence) && /^aof_rewrite_in_progress:0/m.test(persistence);
  if (isFailed) observe({ kind: "append-only-file-rewrite", part, outcome: "failed" });
  return isFailed;
}
