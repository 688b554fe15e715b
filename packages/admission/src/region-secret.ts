import { randomBytes } from "node:crypto";

import { isRegionSecret, redisKeysOf, type Region, type RegionSecret } from "@reveille/wakeup";
import { type Redis } from "ioredis";

/**
 * The secret that keys every hash of a token in this region; the first process to ask makes it. Throws if Redis
 * does not answer or holds something else under its name.
 */
export async function openRegionSecret(redis: Redis, region: Region): Promise<RegionSecret> {
  const key = redisKeysOf(region).secret;
  await redis.set(key, randomBytes(32).toString("base64url"), "NX");
  const secret = await redis.get(key);
  if (secret !== null && isRegionSecret(secret)) return secret;
  throw new Error(`the Redis key ${key} holds no region secret`);
}
