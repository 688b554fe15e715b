import { openRegionClock, openWorkerRedis, type RegionClock } from "@reveille/queue";
import { type Config, createLogger, type Logger, systemClock } from "@reveille/runtime";
import { seconds } from "@reveille/wakeup";

import { type OperatorOptions } from "./operator-options.ts";
import { loadConfig } from "./load-config.ts";
import { redisSettingsOf } from "./redis-settings.ts";

/** What a command that looks at the region, or changes it, works with. */
export interface RegionAccess {
  readonly config: Config;
  readonly redis: Awaited<ReturnType<typeof openWorkerRedis>>;
  /** Tells the time of Redis. */
  readonly regionClock: RegionClock;
}

/** Opens the region's Redis for one command. Throws if it isn't there within 3 s, or the configuration is wrong. */
export async function inRegion<Result>(
  { config: file }: Pick<OperatorOptions, "config">,
  act: (region: RegionAccess) => Promise<Result>,
): Promise<Result> {
  const config = await loadConfig(file);
  const redis = await openWorkerRedis(await redisSettingsOf(config, commandLog("warn")), {
    connection: "command",
    clock: systemClock,
    observe: () => undefined,
    connectWithin: seconds(3),
  });
  try {
    const observe = (): void => undefined;
    await using regionClock = await openRegionClock({ redis, clock: systemClock, observe });
    return await act({ config, redis, regionClock });
  } finally {
    redis.disconnect();
  }
}

/** For commands: on standard error, since standard output belongs to their answer. */
export const commandLog = (level: "warn" | "error"): Logger =>
  createLogger({ level, base: {}, clock: systemClock, readable: true, output: process.stderr });
