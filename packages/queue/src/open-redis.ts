import { type Clock, type Millis, type Observe, seconds } from "@reveille/wakeup";
import { Redis, type RedisOptions } from "ioredis";

import { describeRedis, ioredisOptions, type RedisSettings } from "./redis-settings.ts";
import { tellTrouble } from "./redis-trouble.ts";
import { revive } from "./revive.ts";

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
  const redis = new Redis({
    ...login,
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy,
    ...behaviour,
    replyMapping: "legacy",
  });
  tellTrouble(redis, options);
  revive(redis, options.clock);
  try {
    await ready(redis, settings, options);
    if (options.evenIfEvicting !== true) await refuseEviction(redis);
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

/** Under an evicting policy a full Redis would throw away accepted wakeups. INFO is allowed where CONFIG is not. */
async function refuseEviction(redis: Redis): Promise<void> {
  const [, policy] = /^maxmemory_policy:(\S+)/m.exec(await redis.info("memory")) ?? [];
  if (policy === undefined || policy === "noeviction") return;
  throw new Error(`Redis has maxmemory-policy ${policy} and would lose wakeups; it must be noeviction`);
}
