import { type Registry } from "prom-client";

import { gauge, stateSet } from "./instruments.ts";
import { type Reading } from "./reading.ts";

type ReadingOf<Kind extends Reading["kind"]> = Extract<Reading, { kind: Kind }>;

/** What the region's Redis and its Sentinels tell of themselves. Everybody reads the same, so no sums. */
export function redisGauges(registry: Registry) {
  const memory = gauge(registry, {
    name: "reveille_redis_memory_bytes",
    help: "Memory of the region's Redis: used, and its limit (0: none).",
    labels: ["kind"],
    aggregator: "max",
  });
  const part = gauge(registry, {
    name: "reveille_redis_role",
    help: "1 for the part that the Redis we write to plays; a replica takes no writes.",
    labels: ["state"],
    aggregator: "max",
  });
  const setPart = stateSet<never>(part, ["primary", "replica"]);
  const single = (name: string, help: string, aggregator: "max" | "min") =>
    gauge(registry, { name, help, labels: [], aggregator });
  const replicas = single(
    "reveille_redis_replicas",
    "Replicas of the region's Redis that are connected and in step.",
    "min",
  );
  const lagBytes = single(
    "reveille_redis_replication_lag_bytes",
    "What the replica of the region's Redis that is farthest behind lacks; none without replicas.",
    "max",
  );
  const lagSeconds = single(
    "reveille_redis_replication_lag_seconds",
    "Time since the replica that is farthest behind was heard of; none without replicas.",
    "max",
  );
  const sentinels = gauge(registry, {
    name: "reveille_redis_sentinels",
    help: "Sentinels of the region: configured, and those that this host sees naming the same primary; 0 where there are none.",
    labels: ["state"],
    aggregator: "min",
  });
  return {
    clear: (): void => {
      for (const each of [memory, part, sentinels]) each.reset();
      // prom-client sets a gauge without labels to 0 when it is reset; only removing makes it vanish.
      for (const each of [replicas, lagBytes, lagSeconds]) each.remove();
    },
    show: (redis: ReadingOf<"redis">): void => {
      memory.set({ kind: "used" }, redis.memory.used);
      memory.set({ kind: "limit" }, redis.memory.limit);
      setPart({}, redis.part);
      replicas.set(redis.replicas);
      if (redis.lag === undefined) return;
      lagBytes.set(redis.lag.bytes);
      lagSeconds.set(redis.lag.seconds);
    },
    showSentinels: ({ configured, agreeing }: ReadingOf<"sentinels">): void => {
      sentinels.set({ state: "configured" }, configured);
      sentinels.set({ state: "agreeing" }, agreeing);
    },
  };
}
