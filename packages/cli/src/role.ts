import { hostname } from "node:os";

import { openRegionSecret } from "@reveille/admission";
import { openProducerRedis, type RedisSettings } from "@reveille/queue";
import {
  type Config,
  createMetrics,
  logEvents,
  type Logger,
  type Metrics,
  runUntil,
  serveReport,
  type Start,
  systemClock,
} from "@reveille/runtime";
import { type Observe, type PartHealth, type RegionSecret } from "@reveille/wakeup";

import { loadConfig } from "./load-config.ts";
import { openLog, secretFrom, stopOf } from "./process.ts";
import { VERSION } from "./version.ts";

/** What ingress and worker have in common when they are put together. */
export interface RoleContext {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly observe: Observe;
  readonly redisSettings: RedisSettings;
  /** Fails fast: for admission and for adding to the queue. */
  readonly redis: Awaited<ReturnType<typeof openProducerRedis>>;
  readonly secret: RegionSecret;
  /** Adds what the sidecar hears about a part. */
  readonly addHealth: (parts: () => readonly PartHealth[]) => void;
}

/** Runs a role until SIGTERM or until a part breaks. `parts` are started in order and stopped in reverse. */
export async function runRole(
  role: "ingress" | "worker",
  file: string,
  parts: (context: RoleContext) => readonly Start[],
): Promise<void> {
  const startedAt = systemClock.now();
  const config = await loadConfig(file);
  const log = openLog(role, config);
  const stop = stopOf(config, log);
  const metrics = createMetrics({
    role,
    version: VERSION,
    modules: [...config.modules.keys()],
    clock: systemClock,
  });
  let tellLog = logEvents({ logger: log, clock: systemClock });
  const observe: Observe = (event) => {
    metrics.observe(event);
    tellLog(event);
  };
  const health: (() => readonly PartHealth[])[] = [];

  const redisSettings = await redisSettingsOf(config, log);
  const redis = await openProducerRedis(redisSettings, {
    connection: "producer",
    clock: systemClock,
    observe,
  });
  try {
    const secret = await openRegionSecret(redis, config.region);
    tellLog = logEvents({ logger: log, secret, clock: systemClock });
    const addHealth: RoleContext["addHealth"] = (read) => void health.push(read);
    const context = { config, log, metrics, observe, redisSettings, redis, secret, addHealth };
    const report: Start = async () =>
      serveReport({
        runtimeDir: config.runtimeDir,
        role,
        version: VERSION,
        startedAt,
        parts: () => health.flatMap((read) => read()),
        metrics: metrics.families,
      });
    const started: Start = async () => {
      log.info("role started");
      return { [Symbol.asyncDispose]: async () => log.info("role draining") };
    };
    // The report is served until everything is drained, so that the sidecar sees the draining.
    await runUntil(stop, [report, ...parts(context), started]);
    log.info("role stopped");
  } finally {
    redis.disconnect();
  }
}

/** Reads the Redis password, if the configuration names a file. */
async function redisSettingsOf({ redis }: Config, log: Logger): Promise<RedisSettings> {
  const { passwordFile, waitReplicas: _, ...address } = redis;
  if (passwordFile === undefined) return address;
  return { ...address, password: await secretFrom(passwordFile, "redis.passwordFile", log) };
}

/** Name of this machine in batch ids. */
export const NODE = hostname();
