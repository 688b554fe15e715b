import { randomBytes } from "node:crypto";

import {
  type Clock,
  isRegionSecret,
  type Observe,
  redisKeysOf,
  type Region,
  type RegionSecret,
  Script,
  seconds,
} from "@reveille/wakeup";
import { type Redis } from "ioredis";

/**
 * The secret that keys every hash of a token in this region; the first process to ask makes it. Throws if Redis
 * does not answer or holds something else under its name.
 */
export async function openRegionSecret(redis: Redis, region: Region): Promise<RegionSecret> {
  const secret = randomBytes(32).toString("base64url");
  if (!isRegionSecret(secret)) throw new Error("32 bytes in base64url are no region secret");
  return (await agree(redis, region, secret)).secret;
}

/** The region's secret as Redis has it now. Disposing leaves the connection open. */
export interface SharedSecret extends AsyncDisposable {
  /** From memory. */
  readonly current: () => RegionSecret;
}

export interface SharedSecretOptions {
  readonly redis: Redis;
  readonly region: Region;
  readonly clock: Pick<Clock, "sleep">;
  readonly observe: Observe;
}

/** A Redis that lost its data without a lost connection (FLUSHALL) is noticed within this time. */
const LOOK_EVERY = seconds(2);

/**
 * The same, looked at again whenever the connection comes up and every 2 s. A Redis that lost its data gets the secret back that
 * the processes of the region have in common, so that they go on naming a device alike; if a process that has just started
 * was faster, all take over its secret. Throws what the first look throws.
 */
export async function shareRegionSecret(options: SharedSecretOptions): Promise<SharedSecret> {
  const { redis, region, clock, observe } = options;
  const stop = new AbortController();
  let current = await openRegionSecret(redis, region);
  const onReady = (): void => void look();
  redis.on("ready", onReady);
  const watching = watch();

  return {
    current: () => current,
    [Symbol.asyncDispose]: async () => {
      redis.off("ready", onReady);
      stop.abort();
      await watching;
    },
  };

  async function watch(): Promise<void> {
    for (;;) {
      await clock.sleep(LOOK_EVERY, stop.signal);
      if (stop.signal.aborted) return;
      await look();
    }
  }

  async function look(): Promise<void> {
    // Redis is away, or a replica: the next look tells.
    const found = await agree(redis, region, current).catch(() => undefined);
    if (found === undefined || stop.signal.aborted) return;
    if (found.isNew) observe({ kind: "redis-data-lost", secret: "put-back" });
    if (found.secret === current) return;
    current = found.secret;
    observe({ kind: "redis-data-lost", secret: "taken-over" });
  }
}

const AGREE = new Script(`
-- KEYS[1] secret; ARGV[1] the one to be, unless there is one. Returns the secret, and 1 if it was missing.
local there = redis.call('GET', KEYS[1])
if there then return { there, 0 } end
redis.call('SET', KEYS[1], ARGV[1])
return { ARGV[1], 1 }`);

interface Agreed {
  readonly secret: RegionSecret;
  /** There was none. */
  readonly isNew: boolean;
}

async function agree(redis: Redis, region: Region, own: RegionSecret): Promise<Agreed> {
  const key = redisKeysOf(region).secret;
  const reply = await AGREE.run(redis, [key], [own]);
  const answer: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const [secret, isNew] = answer;
  if (typeof secret === "string" && isRegionSecret(secret)) return { secret, isNew: isNew === 1 };
  throw new Error(`the Redis key ${key} holds no region secret`);
}
