import { hostname } from "node:os";

import { shareRegionSecret } from "@reveille/admission";
import {
  openProducerRedis,
  openRegionClock,
  type RedisSettings,
  tellPacking,
  watchDurability,
} from "@reveille/queue";
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
import {
  type Clock,
  failureReason,
  type Health,
  type Observe,
  type PartHealth,
  type SecretSource,
} from "@reveille/wakeup";

import { LiveConfig, type ReloadAnswer } from "./live-config.ts";
import { loadConfig } from "./load-config.ts";
import { openLog, stopOf, systemdPart } from "./process.ts";
import { redisSettingsOf } from "./redis-settings.ts";
import { startDespiteRedis } from "./start-despite-redis.ts";
import { StartSecrets } from "../secrets/start-secrets.ts";
import { VERSION } from "./version.ts";

/** What ingress and worker have in common when they are put together. */
export interface RoleContext {
  /** As it was at the start. */
  readonly config: Config;
  /** As it is now, after reloads: for what is asked for each time. */
  readonly current: () => Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly observe: Observe;
  readonly redisSettings: RedisSettings;
  /** Aborts when the process is asked to stop: until then a role waits for its Redis. */
  readonly stop: AbortSignal;
  /** Fails fast: for admission and for adding to the queue. */
  readonly redis: Awaited<ReturnType<typeof openProducerRedis>>;
  readonly secret: SecretSource;
  /** Tells the time of Redis, for what two hosts compare; the system's clock is for all else. */
  readonly regionClock: Clock;
}

/** A role's parts at work; disposing drains them, then stops them. */
export interface RunningRole extends AsyncDisposable {
  /** What the sidecar hears. */
  readonly health: () => readonly PartHealth[];
  /** Works by this configuration from now on; throws, with nothing changed, if it cannot. */
  readonly adopt: (config: Config) => Promise<void>;
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
  let redisHealth: Health = { kind: "starting" };
  let health: () => readonly PartHealth[] = () => [{ part: "redis", health: redisHealth }];
  let adopt: RunningRole["adopt"] = () => Promise.reject(new Error("the role is still starting"));
  const live = new LiveConfig({
    file,
    rules,
    first: config,
    startSecrets: await StartSecrets.of(config, role === "ingress" ? ["redis", "ingress"] : ["redis"]),
    adopt: async (next) => {
      // Before the first event, which may come while the rest is being adopted.
      metrics.addModules(next.modules.keys());
      await adopt(next);
      log.level = next.log.level;
    },
  });
  const reload = (): Promise<ReloadAnswer> => reloadAndTell(live, log);

  const report: Start = async () =>
    serveReport({
      runtimeDir: config.runtimeDir,
      role,
      version: VERSION,
      startedAt,
      parts: () => health(),
      metrics: metrics.families,
      reload,
    });
  const begin = async (stop: AbortSignal): Promise<AsyncDisposable> => {
    await using opened = new AsyncDisposableStack();
    const onAway = (): void => void (redisHealth = REDIS_AWAY);
    const given = { config, current: () => live.current, log, metrics, stop };
    const context = await openContext(given, opened, onAway);
    const running = opened.use(await startParts(context));
    const { redis } = context;
    health = () => [
      { part: "redis", health: redis.status === "ready" ? READY : REDIS_AWAY },
      ...running.health(),
    ];
    ({ adopt } = running);
    log.info("role started");
    opened.defer(() => log.info("role draining"));
    return opened.move();
  };
  const parts: Start = ({ signal: stop }) =>
    startDespiteRedis({
      start: () => begin(stop),
      onAway: (error) => log.warn({ because: failureReason(error) }, "redis went away; starting again"),
      clock: systemClock,
      stop,
    });
  // From the start, since a SIGHUP that nobody listens to ends a process.
  process.on("SIGHUP", () => void reload());
  // The report is served first and last, so that the sidecar sees both the starting and the draining.
  await runUntil(stopOf(config, log), [report, parts, systemdPart(() => health(), log)]);
  log.info("role stopped");
}

async function reloadAndTell(live: LiveConfig, log: Logger): Promise<ReloadAnswer> {
  const answer = await live.reload();
  switch (answer.kind) {
    case "reloaded": {
      const [applied, forRestart] = [answer.applied, answer.forRestart].map((all) =>
        all.map(({ key }) => key),
      );
      log.info({ applied, forRestart }, "configuration reloaded");
      return answer;
    }
    case "refused":
      log.warn({ because: answer.because }, "configuration refused; nothing has changed");
      return answer;
  }
}

const READY: Health = { kind: "ready" };
const REDIS_AWAY: Health = { kind: "failing", because: "Redis is away" };

/**
 * Opens what both roles need, as soon as Redis is there; `opened` closes it. Throws if it is not fit for a queue, or was not
 * there until the process was told to stop.
 */
async function openContext(
  given: Pick<RoleContext, "config" | "current" | "log" | "metrics" | "stop">,
  opened: AsyncDisposableStack,
  onAway: () => void,
): Promise<RoleContext> {
  const { config, log, metrics, stop } = given;
  let tellLog = logEvents({ logger: log, clock: systemClock });
  const observe: Observe = (event) => {
    metrics.observe(event);
    tellLog(event);
    if (event.kind === "redis-trouble") onAway();
  };
  const redisSettings = await redisSettingsOf(config, log);
  const redis = await openProducerRedis(redisSettings, {
    connection: "producer",
    clock: systemClock,
    observe,
    connectWithin: stop,
  });
  opened.defer(() => redis.disconnect());
  const regionClock = opened.use(await openRegionClock({ redis, clock: systemClock, observe }));
  await watchDurability({ redis, observe, waitReplicas: config.redis.waitReplicas });
  await tellPacking(redis, observe);
  const secret = opened.use(
    await shareRegionSecret({ redis, region: config.region, clock: systemClock, observe }),
  );
  tellLog = logEvents({ logger: log, secret, clock: systemClock });
  return { ...given, observe, redisSettings, redis, secret, regionClock };
}

/** Name of this machine in batch ids. */
export const NODE = hostname();
