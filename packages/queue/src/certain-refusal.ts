import { type Clock, millis, seconds } from "@reveille/wakeup";
import { Redis, type RedisOptions } from "ioredis";

import { disconnect } from "./disconnect.ts";
import { describeRedis, ioredisOptions, type RedisSettings, sentinelOptions } from "./redis-settings.ts";

/** A Redis that is started anew refuses for less than the two pauses in between. */
const TRIES = 3;
const PAUSE = millis(500);
/** Who has not refused by then is slow, which is something else. */
const PATIENCE = seconds(1);

/**
 * Why there is no Redis, if that is certain after a second: the one Redis, or every Sentinel, refuses each of three
 * connections, or the login. `undefined` as soon as one of them does anything else: it may be slow, or about to fail over.
 * Never rejects because of them; throws if the settings hold no Redis URL.
 */
export async function certainRefusal(
  settings: RedisSettings,
  clock: Pick<Clock, "sleep">,
): Promise<Error | undefined> {
  const servers = serversOf(settings);
  let refusals: readonly Error[] = [];
  for (let tried = 0; tried < TRIES; tried += 1) {
    if (tried > 0) await clock.sleep(PAUSE);
    const heard = await Promise.all(servers.map(async (server) => refusalOf(server, clock)));
    refusals = heard.filter((refusal) => refusal !== undefined);
    if (refusals.length < servers.length) return;
  }
  const who = "url" in settings ? "" : ": every Sentinel refuses";
  return new Error(`no Redis at ${describeRedis(settings)}${who}`, { cause: refusals[0] });
}

function serversOf(settings: RedisSettings): readonly RedisOptions[] {
  if ("url" in settings) return [ioredisOptions(settings)];
  return settings.sentinels.map((address) => sentinelOptions(settings, address));
}

async function refusalOf(server: RedisOptions, clock: Pick<Clock, "sleep">): Promise<Error | undefined> {
  const redis = new Redis({
    ...server,
    lazyConnect: true,
    enableReadyCheck: false,
    replyMapping: "legacy",
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  const done = new AbortController();
  const heard = new Promise<Error>((resolve) => void redis.on("error", resolve));
  // What it rejects with says less than the `error` before it.
  const connected = redis.connect().then(
    () => undefined,
    () => heard,
  );
  try {
    const error = await Promise.race([connected, clock.sleep(PATIENCE, done.signal)]);
    return error instanceof Error && isRefusal(error) ? error : undefined;
  } finally {
    done.abort();
    disconnect(redis);
  }
}

/** The last is a Unix socket that nobody has made. */
const REFUSED = new Set(["ECONNREFUSED", "ENOENT"]);
const LOGIN_REFUSED = /^(?:NOAUTH|WRONGPASS|NOPERM)\b/;

/** Whether this error of a connection says so. A name may have several addresses: then each of them has to refuse. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isRefusal);
  if (!(error instanceof Error)) return false;
  if (error.name === "ReplyError") return LOGIN_REFUSED.test(error.message);
  return "code" in error && typeof error.code === "string" && REFUSED.has(error.code);
}
