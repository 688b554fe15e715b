import { type Packing } from "@reveille/queue";
import { type Millis, millis } from "@reveille/wakeup";

import { about, type Finding } from "./finding.ts";

export interface RedisFacts {
  /** Fields of `INFO`. */
  readonly info: ReadonlyMap<string, string>;
  /** `appendfsync`, if it may be asked. */
  readonly fsync: string | undefined;
  /** If it may be asked. */
  readonly packing: Packing | undefined;
  /** Of a round trip, at its slowest. */
  readonly latency: Millis;
  /** As configured. */
  readonly waitReplicas: number;
  readonly memoryShare: number;
}

/** BullMQ asks for 6.2 at least. */
const OLDEST = [6, 2] as const;
const SLOW = millis(20);
const HOPELESS = millis(500);

/** What the facts say about a Redis that accepted wakeups shall survive in. */
export const judgeRedis = (facts: RedisFacts): readonly Finding[] => [
  judgeVersion(facts),
  judgeRole(facts),
  judgePolicy(facts),
  judgeMemory(facts),
  judgePacking(facts),
  judgeAof(facts),
  judgeReplicas(facts),
  judgeLatency(facts),
];

function judgeVersion({ info }: RedisFacts): Finding {
  const { ok, fail } = about("redis version");
  const version = info.get("redis_version") ?? "unknown";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? fail(version, `install Redis ${OLDEST.join(".")} or later`) : ok(version);
}

function judgeRole({ info }: RedisFacts): Finding {
  const { ok, fail } = about("redis role");
  const role = info.get("role") ?? "unknown";
  if (role === "master") return ok("primary");
  return fail(
    `it is a replica (${role}), which takes no writes`,
    "name the primary in `redis.url`, or Sentinels, which know where it is",
  );
}

function judgePolicy({ info }: RedisFacts): Finding {
  const { ok, fail } = about("redis maxmemory-policy");
  const policy = info.get("maxmemory_policy") ?? "unknown";
  if (policy === "noeviction") return ok(policy);
  return fail(
    `${policy}: a full Redis would throw accepted wakeups away`,
    "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
  );
}

function judgeMemory({ info, memoryShare }: RedisFacts): Finding {
  const { ok, warn, fail } = about("redis memory");
  const limit = Number(info.get("maxmemory") ?? 0);
  if (limit === 0) {
    return warn(
      "no maxmemory: the kernel may kill Redis before it refuses writes",
      "set maxmemory to two thirds of the machine's memory at most",
    );
  }
  const share = Number(info.get("used_memory") ?? 0) / limit;
  const text = `${(share * 100).toFixed(0)} % of maxmemory used`;
  if (share < memoryShare) return ok(text);
  return fail(
    `${text}: new wakeups are refused above ${(memoryShare * 100).toFixed(0)} %`,
    "raise maxmemory, or find out with `reveille queue status` why wakeups pile up",
  );
}

function judgePacking({ packing }: RedisFacts): Finding {
  const { ok, warn, skipped } = about("redis hash-max-listpack-value");
  if (packing === undefined) return skipped("this Redis does not tell its settings");
  if (packing.kind === "compact") return ok(String(packing.limit));
  return warn(
    `${packing.limit}: small batches take half as much memory again as they need`,
    "redis-cli CONFIG SET hash-max-listpack-value 8192, and the same in redis.conf (hash-max-ziplist-value before Redis 7)",
  );
}

function judgeAof({ info, fsync }: RedisFacts): Finding {
  const { ok, warn, fail } = about("redis AOF");
  if (info.get("aof_enabled") !== "1") {
    return fail(
      "off: a crash of Redis loses every accepted wakeup",
      "redis-cli CONFIG SET appendonly yes, and the same in redis.conf",
    );
  }
  if (info.get("aof_last_write_status") === "err") {
    return fail("Redis cannot write it", "make room on the disk of Redis' data");
  }
  const replicas = Number(info.get("connected_slaves") ?? 0);
  if (fsync === "no" || (fsync === "everysec" && replicas === 0)) {
    return warn(
      `appendfsync ${fsync}${replicas === 0 ? " without a replica" : ""}: a crash of the machine loses what came last`,
      "redis-cli CONFIG SET appendfsync always, and the same in redis.conf",
    );
  }
  return ok(fsync === undefined ? "on" : `on, appendfsync ${fsync}`);
}

function judgeReplicas({ info, waitReplicas }: RedisFacts): Finding {
  const { ok, warn, fail } = about("redis replicas");
  const replicas = Number(info.get("connected_slaves") ?? 0);
  const online = [...info].filter(
    ([name, value]) => /^slave\d+$/.test(name) && value.includes("state=online"),
  ).length;
  const text = `${online} of ${replicas} connected ones are in step`;
  if (online < waitReplicas) {
    return fail(
      `${text}, and redis.waitReplicas asks for ${waitReplicas}`,
      "start the replica (replicaof), or lower redis.waitReplicas",
    );
  }
  if (online > 0) return ok(text);
  return warn(
    "none: the region stands still while this Redis does",
    "add a replica on the other host, and three Sentinels",
  );
}

function judgeLatency({ latency }: RedisFacts): Finding {
  const { ok, warn, fail } = about("redis latency");
  const text = `${latency.toFixed(1)} ms for the slowest of ten round trips`;
  const cure = "look for a far-away or busy Redis: redis-cli --latency, redis-cli SLOWLOG GET";
  if (latency >= HOPELESS) return fail(`${text}: publishes are told to wait`, cure);
  return latency >= SLOW ? warn(text, cure) : ok(text);
}
