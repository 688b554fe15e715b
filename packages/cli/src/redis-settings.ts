import { type RedisSettings, type SentinelWatch, watchSentinels } from "@reveille/queue";
import { type Config, type Logger } from "@reveille/runtime";
import { type Clock } from "@reveille/wakeup";

import { secretFrom } from "./process.ts";

/** The region's Redis as the configuration has it; reads the password, if a file is named. */
export async function redisSettingsOf({ redis }: Pick<Config, "redis">, log: Logger): Promise<RedisSettings> {
  const address = "url" in redis ? { url: redis.url } : { sentinels: redis.sentinels, name: redis.name };
  if (redis.passwordFile === undefined) return address;
  return { ...address, password: await secretFrom(redis.passwordFile, "redis.passwordFile", log) };
}

/** Looks at the region's Sentinels; `undefined` if there are none. */
export async function openSentinels(
  { redisSettings }: { readonly redisSettings: RedisSettings },
  clock: Clock,
): Promise<SentinelWatch | undefined> {
  return "url" in redisSettings ? undefined : watchSentinels(redisSettings, clock);
}
