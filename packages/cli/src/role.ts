import { hostname } from "node:os";

import { openRegionSecret } from "@reveille/admission";
import { openProducerRedis, type RedisSettings, watchDurability } from "@reveille/queue";
import {
  type Config,
  createMetrics,
  type FurtherRules,
  logEvents,
  type Logger,
  type Metrics,
  runUntil,
  serveReport,
  type Start,
  systemClock,
} from "@reveille/runtime";
import { type Health, type Observe, type PartHealth, type RegionSecret } from "@reveille/wakeup";

import { loadConfig } from "./load-config.ts";
import { openLog, stopOf, systemdPart } from "./process.ts";
import { redisSettingsOf } from "./redis-settings.ts";
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
}

/** A role's parts at work; disposing drains them, then stops them. */
export interface RunningRole extends AsyncDisposable {
  /** What the sidecar hears. */
  readonly health: () => readonly PartHealth[];
}

/** Runs a role until SIGTERM or until a part breaks. */
export async function runRole(
  role: "ingress" | "worker",
  file: string,
  startParts: (context: RoleContext) => Promise<RunningRole>,
  rules?: FurtherRules,
): Promise<void> {
  const startedAt = systemClock.now();
  const config = await loadConfig(file, rules);
  const log = openLog(role, config);
  const metrics = createMetrics({
    role,
    version: VERSION,
    modules: [...config.modules.keys()],
    clock: systemClock,
  });
  let health: () => readonly PartHealth[] = () => [{ part: "redis", health: { kind: "starting" } }];

  const report: Start = async () =>
    serveReport({
      runtimeDir: config.runtimeDir,
      role,
      version: VERSION,
      startedAt,
      parts: () => health(),
      metrics: metrics.families,
    });
  const parts: Start = async () => {
    await using opened = new AsyncDisposableStack();
    const context = await openContext({ config, log, metrics }, opened);
    const running = opened.use(await startParts(context));
    const { redis } = context;
    health = () => [
      { part: "redis", health: redis.status === "ready" ? READY : REDIS_AWAY },
      ...running.health(),
    ];
    log.info("role started");
    opened.defer(() => log.info("role draining"));
    return opened.move();
  };
  // The report is served first and last, so that the sidecar sees both the starting and the draining.
  await runUntil(stopOf(config, log), [report, parts, systemdPart(() => health(), log)]);
  log.info("role stopped");
}

const READY: Health = { kind: "ready" };
const REDIS_AWAY: Health = { kind: "failing", because: "Redis is away" };

/** Opens what both roles need; `opened` closes it. Throws if Redis isn't there, or not fit for a queue. */
async function openContext(
  { config, log, metrics }: Pick<RoleContext, "config" | "log" | "metrics">,
  opened: AsyncDisposableStack,
): Promise<RoleContext> {
  let tellLog = logEvents({ logger: log, clock: systemClock });
  const observe: Observe = (event) => {
    metrics.observe(event);
    tellLog(event);
  };
  const redisSettings = await redisSettingsOf(config, log);
  const redis = await openProducerRedis(redisSettings, {
    connection: "producer",
    clock: systemClock,
    observe,
  });
  opened.defer(() => redis.disconnect());
  await watchDurability({ redis, observe, waitReplicas: config.redis.waitReplicas });
  const secret = await openRegionSecret(redis, config.region);
  tellLog = logEvents({ logger: log, secret, clock: systemClock });
  return { config, log, metrics, observe, redisSettings, redis, secret };
}

/** Name of this machine in batch ids. */
export const NODE = hostname();
