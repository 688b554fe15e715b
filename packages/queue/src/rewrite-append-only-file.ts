import { type Clock, type Millis, millis, type Observe, redisKeysOf, type Region } from "@reveille/wakeup";
import { type Redis } from "ioredis";

import { isForbidden } from "./quiet-redis.ts";

export interface RewriteOptions {
  /** The connection to the primary; stays the caller's. */
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Clock;
  readonly observe: Observe;
  /** Time from the start of one rewrite to that of the next. */
  readonly every: Millis;
}

/** A replica that the primary tells of. */
interface Replica {
  readonly host: string;
  readonly port: number;
}

/** So many looks between two rewrites: the process that has the lease may be gone. */
const LOOKS = 10;

/**
 * Has the region's Redis and its replicas rewrite their append-only files (BGREWRITEAOF), so that a device token stands on disk
 * for little longer than `every` after its wakeup is done. By a lease one process of the region does it at a time. A Redis without an
 * append-only file is left alone; one that refuses the command is told as an event. Disposing ends it.
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
    // Redis is away: whoever owns the connection tells of that.
    await rewriteIfDue(options).catch(() => undefined);
  }
}

/** Whether this process had the lease. Throws what the connection to the primary throws. */
export async function rewriteIfDue(options: RewriteOptions): Promise<boolean> {
  const { redis, region, every } = options;
  const lease = redisKeysOf(region).appendOnlyFileRewrite;
  if ((await redis.set(lease, "1", "PX", every, "NX")) === null) return false;
  let isBusy = await rewrite(redis, "primary", options);
  for (const replica of replicasIn(await redis.info("replication"))) {
    if (await rewriteOf(replica, options)) isBusy = true;
  }
  // What is under way may have begun before the last tokens were written.
  if (isBusy) await redis.pexpire(lease, Math.round(every / LOOKS));
  return true;
}

async function rewriteOf({ host, port }: Replica, options: RewriteOptions): Promise<boolean> {
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
    return await rewrite(connection, "replica", options);
  } catch (error) {
    tell(options, "replica", error);
    return false;
  } finally {
    connection.disconnect();
  }
}

/** Whether a rewrite was under way already. Throws what the connection throws. */
async function rewrite(
  redis: Redis,
  where: "primary" | "replica",
  options: RewriteOptions,
): Promise<boolean> {
  const persistence = await redis.info("persistence");
  if (!isForbidden(persistence) && !/^aof_enabled:1/m.test(persistence)) return false;
  try {
    await redis.bgrewriteaof();
    options.observe({ kind: "append-only-file-rewrite", part: where, outcome: "started" });
  } catch (error) {
    if (isUnderWay(error)) return true;
    tell(options, where, error);
  }
  return false;
}

/** Redis rewrites by itself, or saves a snapshot, after which it will. */
const isUnderWay = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("in progress");

function tell({ observe }: RewriteOptions, part: "primary" | "replica", error: unknown): void {
  const because = error instanceof Error ? (error.message.split(" ")[0] ?? "unknown error") : "unknown error";
  observe({ kind: "append-only-file-rewrite", part, outcome: "refused", because });
}

/** Lines as `slave0:ip=10.0.0.2,port=6379,state=online,offset=123,lag=0`. */
const replicasIn = (info: string): readonly Replica[] =>
  [...info.matchAll(/^slave\d+:ip=([^,]+),port=(\d+),state=online\b/gm)].map(([, host = "", port]) => ({
    host,
    port: Number(port),
  }));
