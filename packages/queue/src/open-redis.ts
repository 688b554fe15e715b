import { type Clock, type Millis, type Observe, seconds } from "@reveille/wakeup";
import { type Redis, type RedisOptions } from "ioredis";

import { QuietRedis } from "./quiet-redis.ts";
import { leaveWhileLoading } from "./leave-while-loading.ts";
import { describeRedis, ioredisOptions, type RedisSettings } from "./redis-settings.ts";
import { tellTrouble } from "./redis-trouble.ts";
import { revive } from "./revive.ts";
import { wrongServer } from "./wrong-server.ts";

export interface OpenRedisOptions {
  /** What `redis-trouble` events call this connection, e.g. `producer`. */
  readonly connection: string;
  readonly clock: Clock;
  readonly observe: Observe;
  /** How long Redis may take to be there at the start, or what ends the patience; default 10 s. */
  readonly connectWithin?: Millis | AbortSignal;
  /** Opens a Redis that would evict our keys all the same, for a look at it. */
  readonly evenIfEvicting?: boolean;
}

/**
 * The other machines are near. A host that is gone without a word would otherwise cost 10 s (ioredis' default) at each
 * Sentinel or Redis that was on it: of 11 s from its end to the first wakeup accepted again, 8 were spent on this.
 */
const CONNECT_TIMEOUT_MS = 1_000;

/** Reconnects begin at 100 ms and stay below 0.6 s, so that a failover is not followed by a pause of our own. */
const retryStrategy = (attempt: number): number => Math.min(50 * 2 ** attempt, 500) + Math.random() * 100;

/**
 * A connection for those who must answer a sender: a command fails within 0.5 s, at once while Redis is away, and is
 * never repeated behind the caller's back. Throws if Redis is not there in time or would evict our keys.
 */
export const openProducerRedis = (settings: RedisSettings, options: OpenRedisOptions): Promise<Redis> =>
  open(settings, options, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 500,
    socketTimeout: 1_000,
  });

/**
 * A connection for those who can wait: commands stay until Redis is back. It has no command time-out, which would
 * break the blocking reads of the worker; a hung Redis is noticed after 15 s (longer than the longest blocking read,
 * 10 s). Throws if Redis is not there in time or would evict our keys.
 */
export const openWorkerRedis = (settings: RedisSettings, options: OpenRedisOptions): Promise<Redis> =>
  open(settings, options, { maxRetriesPerRequest: null, socketTimeout: 15_000 });

type Behaviour = Pick<
  RedisOptions,
  | "maxRetriesPerRequest"
  | "enableOfflineQueue"
  | "autoResendUnfulfilledCommands"
  | "commandTimeout"
  | "socketTimeout"
>;

async function open(
  settings: RedisSettings,
  options: OpenRedisOptions,
  behaviour: Behaviour,
): Promise<Redis> {
  const login = ioredisOptions(settings);
  const wrong = wrongServer(options.clock);
  const redis = new QuietRedis({
    ...login,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy,
    ...behaviour,
    reconnectOnError: wrong.reconnectOnError,
    replyMapping: "legacy",
  });
  tellTrouble(redis, { ...options, wrong });
  revive(redis, options.clock);
  leaveWhileLoading(redis, options.clock);
  try {
    await ready(redis, settings, options);
    await refuseUnfit(redis, settings, options);
    return redis;
  } catch (error) {
    redis.disconnect();
    throw error;
  }
}

async function ready(redis: Redis, settings: RedisSettings, options: OpenRedisOptions): Promise<void> {
  const patience = options.connectWithin ?? seconds(10);
  const settled = new AbortController();
  let lastError: Error | undefined;
  const noteError = (error: Error): void => void (lastError = error);
  redis.on("error", noteError);
  const isReady = new Promise<"ready">((resolve) => void redis.once("ready", () => resolve("ready")));
  const isOver =
    patience instanceof AbortSignal
      ? aborted(patience, settled.signal)
      : options.clock.sleep(patience, settled.signal);
  const winner = await Promise.race([isReady, isOver]);
  settled.abort();
  redis.off("error", noteError);
  if (winner === "ready") return;
  const when =
    patience instanceof AbortSignal ? "before we were told to stop" : `within ${patience / 1_000} s`;
  throw new Error(`no Redis at ${describeRedis(settings)} ${when}`, { cause: lastError });
}

async function aborted(signal: AbortSignal, unless: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, signal: unless });
  });
}

/** Throws an Error if Redis is not one that a queue may be in. Where INFO is not allowed, nobody can tell. */
async function refuseUnfit(
  redis: Redis,
  settings: RedisSettings,
  { evenIfEvicting = false }: OpenRedisOptions,
): Promise<void> {
  const info = await redis.info();
  if (/^redis_mode:cluster/m.test(info)) {
    throw new Error(
      `Redis at ${describeRedis(settings)} runs in cluster mode, in which keys are on several servers; a region's keys must be on one: name a Redis with cluster mode disabled (a single primary, perhaps with replicas)`,
    );
  }
  // A full Redis would throw away accepted wakeups.
  const [, policy] = /^maxmemory_policy:(\S+)/m.exec(info) ?? [];
  if (evenIfEvicting || policy === undefined || policy === "noeviction") return;
  throw new Error(`Redis has maxmemory-policy ${policy} and would lose wakeups; it must be noeviction`);
}
