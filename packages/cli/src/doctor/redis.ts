import { aclRuleOf, certainRefusal, forbiddenCommands, openWorkerRedis, readPacking } from "@reveille/queue";
import { type Config } from "@reveille/runtime";
import { type Clock, millis, type Millis } from "@reveille/wakeup";

import { commandLog } from "../role/region.ts";
import { redisSettingsOf } from "../role/redis-settings.ts";
import { judgeClock } from "./clock-skew.ts";
import { reasonOf } from "../terminal/reason-of.ts";
import { about, type Finding } from "./finding.ts";
import { type Check } from "./doctor-context.ts";
import { redisCure, type RedisServer } from "./redis-cure.ts";
import { judgeRedis } from "./redis-judgement.ts";

type Redis = Awaited<ReturnType<typeof openWorkerRedis>>;

/** The region's Redis: reachable, of a version we know, keeping what it accepts, quick, and with its replicas. */
export const checkRedis: Check = async ({ config, clock, timeout }) => {
  let refusal: Error | undefined;
  try {
    const settings = await redisSettingsOf(config, commandLog("error"));
    // The timeout is for one that is slow, or is being replaced.
    refusal = await certainRefusal(settings, clock);
    if (refusal !== undefined) throw refusal;
    const redis = await openWorkerRedis(settings, {
      connection: "doctor",
      clock,
      observe: () => undefined,
      connectWithin: timeout,
      evenIfEvicting: true,
    });
    try {
      return await examine(redis, config, clock);
    } finally {
      redis.disconnect();
    }
  } catch (error) {
    const { fail } = about("redis");
    return [
      fail(
        reasonOf(error),
        redisCure(error, serverOf(config, refusal !== undefined)) ??
          "start Redis, or correct `redis` in the configuration and its password file",
      ),
    ];
  }
};

/** Who refused: each of the Sentinels; else the Redis, which Sentinels may have named. */
function serverOf({ redis }: Config, isRefusal: boolean): RedisServer {
  const to = "url" in redis ? addressOf(redis.url) : redis.sentinels.map((s) => `${s.host}:${s.port}`).join();
  if ("url" in redis || !isRefusal) {
    return {
      to: "url" in redis ? to : `the primary ${redis.name}`,
      caSetting: "redis.tls.caFile",
      userSetting: "redis.username",
      passwordSetting: "redis.passwordFile",
    };
  }
  return {
    to,
    caSetting: "redis.sentinelTls.caFile",
    userSetting: "redis.sentinelUsername",
    passwordSetting: "redis.sentinelPasswordFile",
  };
}

/** Without a user and a password, which a URL may have. */
function addressOf(url: string): string {
  const { host, pathname } = new URL(url);
  return host === "" ? pathname : host;
}

async function examine(redis: Redis, config: Config, clock: Clock): Promise<ReturnType<typeof judgeRedis>> {
  const latency = await latencyOf(redis, clock);
  const [seconds, microseconds] = await redis.time();
  const skew = clock.now() - (Number(seconds) * 1_000 + Number(microseconds) / 1_000);
  const info = parseInfo(await redis.info());
  const isReplica = info.get("role") === "slave";
  const allowed = judgeCommands(isReplica ? [] : await forbiddenCommands(redis, config.region), config);
  // Where INFO is not allowed, nothing more can be told.
  if (info.has("info_forbidden")) {
    const { skipped } = about("redis INFO");
    return [allowed, skipped("its user may not ask"), judgeClock("clock against Redis'", skew)];
  }
  // Hosted Redis often refuses CONFIG; INFO has all but this.
  const fsync = await redis.config("GET", "appendfsync").then(secondOf, () => undefined);
  return [
    allowed,
    ...judgeRedis({
      info,
      fsync,
      packing: await readPacking(redis),
      latency,
      waitReplicas: config.redis.waitReplicas,
      memoryShare: config.redis.memoryShare,
    }),
    judgeClock("clock against Redis'", skew),
  ];
}

function judgeCommands(forbidden: readonly string[], { region, redis }: Config): Finding {
  const { ok, fail } = about("redis ACL");
  if (forbidden.length === 0) return ok("every command that the roles need is allowed");
  return fail(
    `its user may not call ${forbidden.join(", ")}, or not for keys of this region`,
    `redis-cli ACL SETUSER ${redis.username ?? "default"} ${aclRuleOf(region)}`,
  );
}

const secondOf = (answer: unknown): string | undefined =>
  Array.isArray(answer) && typeof answer[1] === "string" ? answer[1] : undefined;

/** The slowest of ten round trips: what a wakeup may meet. */
async function latencyOf(redis: Redis, clock: Clock): Promise<Millis> {
  let slowest = 0;
  for (let round = 0; round < 10; round += 1) {
    const before = clock.monotonic();
    await redis.ping();
    slowest = Math.max(slowest, clock.monotonic() - before);
  }
  return millis(slowest);
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const [, name, value] = /^(\w+):(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}
